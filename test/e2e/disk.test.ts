import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { filesUnder } from "../support/files-under.js";
import { mountTinyDisk } from "../support/tiny-disk.js";
import { CommandLine, SETTINGS } from "./command-line.js";
import { newRunFolder, runTiny, TINY_RUN, tinyConfig } from "./harness.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => {
  commandLine.close();
});

const inFolder = (...names: string[]): string => join(commandLine.folder, ...names);

/** The modes of a folder and of everything in it, each once. */
function modesIn(folder: string): string[] {
  const paths = [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  ];
  const modes = paths.map((path) => `${statSync(path).isDirectory() ? "folder" : "file"} ${modeOf(path)}`);
  return [...new Set(modes)].sort();
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("a run folder", () => {
  test.each([0])("and all in it is for nobody but the user, whatever the umask: %o", async (mask) => {
    const settings = [...TINY_RUN, "train.updates=6", "intervention.k=3", "checkpoint.every=2"];
    const run = ["run", "quickstart", ...settings.filter((setting) => !/^probe|k_max/.test(setting)), "--headless"];
    const before = process.umask(mask);
    try {
      for (const options of [[`closed-${mask}`], [`readable-${mask}`, "--group-readable"]]) {
        const { exitCode, stderr } = await commandLine.start(
          [...run, "--run-dir", ...options],
          process.env["THAWLINE_PYTHON"],
        );
        expect(exitCode, stderr).toBe(0);
      }
    } finally {
      process.umask(before);
    }
    expect(modesIn(inFolder(`closed-${mask}`))).toEqual(["file 600", "folder 700"]);
    expect(modesIn(inFolder(`readable-${mask}`))).toEqual(["file 640", "folder 700", "folder 750"]);
    expect(modeOf(inFolder(`readable-${mask}`, "inbox"))).toBe("700");
    expect(existsSync(inFolder(`closed-${mask}`, "checkpoints"))).toBe(true);
  });
});

describe("what is missing of a finished run", () => {
  test.each([["results.json"], ["manifest.json"], ["results.json", "manifest.json"]])(
    "is written by `resume`, and what was half written goes: %s",
    async (...names) => {
      const written = names.map((name) => readFileSync(inFolder("finished", name), "utf8"));
      for (const name of names) rmSync(inFolder("finished", name));
      writeFileSync(inFolder("finished", "results.json.tmp-999999999"), "{");
      expect(await commandLine.run("resume", "finished")).toMatch(/^exit code 0\n/);
      const again = names.map((name) => readFileSync(inFolder("finished", name), "utf8"));
      expect(again.map(untimed)).toEqual(written.map(untimed));
      expect(existsSync(inFolder("finished", "results.json.tmp-999999999"))).toBe(false);
    },
  );

  test("is named where it still cannot be written", async () => {
    rmSync(inFolder("finished", "results.json"));
    mkdirSync(inFolder("finished", "results.json"));
    rmSync(inFolder("finished", "manifest.json"));
    expect(await commandLine.run("resume", "finished")).toMatchInlineSnapshot(`
      "exit code 2
      error: the run finished, but \`CWD/finished/results.json\` cannot be written (EISDIR: a folder has its name); no result is lost, the journal has them all

      hint: remove that folder, then \`npx thawline resume CWD/finished\` writes them"
    `);
    rmSync(inFolder("finished", "results.json"), { recursive: true });
    expect(await commandLine.run("resume", "finished")).toMatch(/^exit code 0\n/);
    expect(existsSync(inFolder("finished", "manifest.json"))).toBe(true);
  });
});

/** The time that a controller lived is told by its clock, or by its journal. */
function untimed(text: string): string {
  return text.replace(/"wall_seconds": .*/, "");
}

test("results that cannot be written are said beside the summary, and are not lost", async () => {
  const slow = commandLine.writePython(
    "takes-the-place",
    `mkdir results.json; exec ${inFolder("scripted-python")} -m x`,
  );
  const shown = commandLine.seen(
    await commandLine.start(["run", "quickstart", ...SETTINGS, "--run-dir", "unwritten", "--plain"], slow),
  );
  expect(shown).toContain("finished");
  expect(shown).toMatch(/^exit code 2\n/);
  expect(shown.slice(shown.indexOf("error:"))).toMatchInlineSnapshot(`
    "error: the run finished, but \`CWD/unwritten/results.json\` cannot be written (EISDIR: a folder has its name); no result is lost, the journal has them all

    hint: remove that folder, then \`npx thawline resume CWD/unwritten\` writes them"
  `);
  rmSync(inFolder("unwritten", "results.json"), { recursive: true });
  await commandLine.run("resume", "unwritten");
  expect(JSON.parse(readFileSync(inFolder("unwritten", "results.json"), "utf8"))).toMatchObject({
    outcome: "finished",
  });
});

describe("a folder for temporary files that is", () => {
  test.each(["gone", "no folder"])("%s is refused before a run begins, and names its remedy", async (kind) => {
    if (kind === "no folder") writeFileSync(inFolder(kind), "");
    const before = filesUnder(commandLine.folder);
    const args = ["run", "quickstart", ...SETTINGS, "--run-dir", "never"];
    const shown = commandLine.seen(await commandLine.start(args, undefined, { TMPDIR: inFolder(kind) }));
    expect(shown.slice(shown.indexOf("error:")).replace(/\(E[A-Z]+[^)]*/, "(E...")).toBe(
      [
        `error: the folder for temporary files, \`CWD/${kind}\`, cannot be written (E...)`,
        "",
        "hint: a worker gets its keys there: set TMPDIR to a folder that exists and has room",
      ].join("\n"),
    );
    expect(shown).toMatch(/^exit code 2\n/);
    expect(filesUnder(commandLine.folder)).toEqual(before);
  });
});

const disk = mountTinyDisk(8192);
afterAll(() => disk?.remove());

// Needs the right to mount a small file system (root).
describe.skipIf(disk === null)("a disk that runs full", () => {
  const UPDATES = ["train.updates=60", "checkpoint.every=20"];

  test("at a checkpoint pauses the run, which goes on when there is room, as if nothing had been", async () => {
    const undisturbed = await runTiny(newRunFolder(), tinyConfig(...UPDATES));
    const runFolder = join(disk!.folder, "paused");
    mkdirSync(runFolder);
    const said: string[] = [];
    const end = await runTiny(runFolder, tinyConfig(...UPDATES), {
      onRecord: ({ event }) => {
        if (event.type === "worker/checkpointed" && event.body.step === 19) disk!.fillUpTo(120_000);
        if (event.type === "worker/logged") said.push(event.body.text);
        if (event.type === "worker/progressed" && event.body.detail.includes("waiting for room")) disk!.makeRoom();
      },
    });
    expect(said).toEqual([
      expect.stringMatching(
        /^the checkpoint of step 39 cannot be written: no room .*; the run waits until there is room$/,
      ),
      "there is room on the disk again: the run goes on",
    ]);
    expect(end.results).toMatchObject({ outcome: "finished", attempts: 1 });
    expect(end.results.weights_sha256).toBe(undisturbed.results.weights_sha256);
    verifyJournal((await readJournal(runFolder)).records);
  });

  test("at a checkpoint can be stopped while it waits, and resumed as if nothing had been", async () => {
    const undisturbed = await runTiny(newRunFolder(), tinyConfig(...UPDATES));
    const runFolder = join(disk!.folder, "stopped");
    mkdirSync(runFolder);
    let interrupt: (signal: string) => void = () => undefined;
    const stopped = await runTiny(runFolder, tinyConfig(...UPDATES), {
      interrupts: (listener) => (interrupt = listener),
      onRecord: ({ event }) => {
        if (event.type === "worker/checkpointed" && event.body.step === 19) disk!.fillUpTo(120_000);
        if (event.type === "worker/logged" && event.body.text.includes("waits"))
          setImmediate(() => interrupt("SIGTERM"));
      },
    });
    expect(stopped.state.end).toMatchObject({
      outcome: "stopped",
      message: expect.stringContaining("step 19") as string,
    });
    disk!.makeRoom();
    const end = await runTiny(runFolder, null);
    expect(end.results.weights_sha256).toBe(undisturbed.results.weights_sha256);
  });
});
