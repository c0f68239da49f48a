import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { startTimeOf } from "../../src/process-identity.js";
import { CommandLine, SETTINGS } from "./command-line.js";

let commandLine: CommandLine;
let hanging: string;
beforeAll(async () => {
  commandLine = await CommandLine.open();
  hanging = commandLine.writePythonFor("hangs.py");
});
afterAll(() => {
  commandLine.close();
});

const inFolder = (...names: string[]): string => join(commandLine.folder, ...names);

/** A run whose worker hangs in its third update. */
const begin = (name: string) =>
  commandLine.start(["run", "quickstart", ...SETTINGS, "--headless", "--run-dir", name], hanging);

const errorOf = (shown: string): string => shown.slice(shown.indexOf("error:"));

describe("a run folder under a running run", () => {
  test.each<[string, (folder: string) => void]>([
    ["moved", (folder) => renameSync(folder, `${folder}-elsewhere`)],
    ["deleted", (folder) => rmSync(folder, { recursive: true })],
    ["without its journal", (folder) => rmSync(join(folder, "journal"))],
    [
      "replaced by a copy",
      (folder) => {
        renameSync(folder, `${folder}-before`);
        cpSync(`${folder}-before`, folder, { recursive: true });
      },
    ],
  ])("%s: the run ends with a sentence, and nothing comes back", async (what, happen) => {
    const name = what.replaceAll(" ", "-");
    const run = begin(name);
    await commandLine.untilJournaled(name, "worker/applied");
    happen(inFolder(name));
    const shown = commandLine.complaint(await run);
    expect(shown).toMatch(/^exit code 2\n/);
    expect(errorOf(shown)).toBe(
      [
        `error: \`CWD/${name}\`, or the journal in it, was moved, deleted or replaced while the run went on; the run ends`,
        "",
        "hint: a folder that was moved goes on by `npx thawline resume` with its new path",
      ].join("\n"),
    );
    if (what === "moved" || what === "deleted") expect(existsSync(inFolder(name))).toBe(false);
  });

  test("moved, goes on by its new path", async () => {
    expect(await commandLine.run("resume", "moved-elsewhere", "--headless")).toMatch(/^exit code 0\n/);
  });
});

test("the copy of a running run is told apart, with its lock and without, and goes on as a run of its own", async () => {
  const original = begin("original");
  await commandLine.untilJournaled("original", "worker/applied");
  const { records } = await readJournal(inFolder("original"));
  const pid = records.flatMap(({ event }) => (event.type === "attempt/launched" ? [event.pid] : []))[0]!;
  for (const name of ["with-lock", "without-lock"]) cpSync(inFolder("original"), inFolder(name), { recursive: true });
  rmSync(inFolder("without-lock", "lock.1"));

  expect((await commandLine.run("resume", "with-lock")).replace(/id \d+/, "id N")).toMatchInlineSnapshot(`
    "exit code 2
    error: \`CWD/with-lock\` is a copy of the run folder \`CWD/original\`

    hint: \`npx thawline resume CWD/with-lock --as-copy\` goes on with it as a run of its own"
  `);
  expect(await commandLine.run("resume", "without-lock")).toMatchInlineSnapshot(`
    "exit code 2
    error: \`CWD/without-lock\` is a copy of the run folder \`CWD/original\`

    hint: \`npx thawline resume CWD/without-lock --as-copy\` goes on with it as a run of its own"
  `);
  expect(await commandLine.run("control", "with-lock", "stop")).toContain("no controller is running `with-lock`");
  for (const name of ["with-lock", "without-lock"]) {
    expect(await commandLine.run("resume", name, "--as-copy", "--headless")).toMatch(/^exit code 0\n/);
    expect(await commandLine.run("replay", name)).toMatch(/^exit code 0\n/);
  }
  expect(startTimeOf(pid)).not.toBeNull();
  const since = (await readJournal(inFolder("original"))).records.map(({ event }) => event.type);
  expect(since).not.toContain("attempt/exited");
  original.kill("SIGTERM");
  await commandLine.untilJournaled("original", "controller/interrupted");
  original.kill("SIGTERM");
  expect((await original).exitCode).toBe(130);
});

test("a journal from elsewhere ends no process that it names", async () => {
  const stranger = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  try {
    const { records } = await readJournal(inFolder("finished"));
    const named = records.map(({ event, ...rest }): JournalRecord => {
      const ids = { pid: stranger.pid!, startTime: startTimeOf(stranger.pid!)! };
      return { ...rest, event: event.type === "attempt/launched" ? { ...event, ...ids } : event };
    });
    mkdirSync(inFolder("foreign"));
    // Up to the launch.
    const last = named.findIndex(({ event }) => event.type === "attempt/launched");
    writeFileSync(
      inFolder("foreign", "journal"),
      named
        .slice(0, last + 1)
        .map(encodeRecord)
        .join(""),
    );
    expect(await commandLine.run("resume", "foreign", "--as-copy", "--headless")).toMatch(/^exit code 0\n/);
    expect(startTimeOf(stranger.pid!)).not.toBeNull();
  } finally {
    stranger.kill("SIGKILL");
  }
});

describe("a run that was killed before its first record", () => {
  test.each([
    ["no journal", null],
    ["an empty one", ""],
    ["a torn first record", '00000000 {"n":1,"te'],
  ])("and has left %s is begun by `resume`, which `run` names", async (what, journal) => {
    const name = what.replaceAll(" ", "-");
    mkdirSync(inFolder(name));
    writeFileSync(inFolder(name, "config.yaml"), readFileSync(inFolder("finished", "config.yaml")));
    if (journal !== null) writeFileSync(inFolder(name, "journal"), journal);
    const refused = await commandLine.run("run", "quickstart", ...SETTINGS, "--run-dir", name);
    expect(refused).toContain(`go on with it by \`npx thawline resume CWD/${name}\``);
    expect(await commandLine.run("resume", name, "--headless")).toMatch(/^exit code 0\n/);
    expect(existsSync(inFolder(name, "results.json"))).toBe(true);
    expect(await commandLine.run("replay", name)).toMatch(/^exit code 0\n/);
  });
});
