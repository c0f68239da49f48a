import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { CommandLine, SETTINGS } from "./command-line.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => {
  commandLine.close();
});

/** A copy of the finished run's journal in a folder of its own, changed by `edit`. Returns the folder's name. */
async function journalWith(name: string, edit: (records: JournalRecord[]) => string): Promise<string> {
  const { records } = await readJournal(join(commandLine.folder, "finished"));
  mkdirSync(join(commandLine.folder, name), { recursive: true });
  writeFileSync(join(commandLine.folder, name, "journal"), edit([...records]));
  return name;
}

describe("npx thawline resume refuses", () => {
  test("a folder that is no run", async () => {
    expect(await commandLine.refused("resume", ".")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD\` is not a run folder: it holds no journal

      hint: name a folder that \`npx thawline run\` made"
    `);
    expect(await commandLine.refused("resume", "nowhere")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/nowhere\` is not a run folder: it holds no journal

      hint: name a folder that \`npx thawline run\` made"
    `);
    expect(await commandLine.refused("resume", "scripted-python")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/scripted-python\` is not a run folder: it holds no journal

      hint: name a folder that \`npx thawline run\` made"
    `);
  });

  test("settings", async () => {
    expect(await commandLine.refused("resume", "finished", "seed=3")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`seed=3\` cannot be given: a resumed run keeps the configuration of its journal

      hint: start a new run with \`npx thawline run\` to change a setting"
    `);
  });

  test("a damaged journal", async () => {
    const damaged = await journalWith("damaged", (records) =>
      records.map(encodeRecord).join("").replace("quickstart", "quickstars"),
    );
    expect(await commandLine.refused("resume", damaged)).toMatchInlineSnapshot(`
      "exit code 2
      error: the journal is damaged at byte 0

      hint: restore the file from a copy: everything after this byte is uncertain"
    `);
  });

  test("a journal of another core version", async () => {
    const other = await journalWith("other-core", ([created, ...rest]) => {
      const event = { ...created!.event, coreVersion: 99 } as JournalRecord["event"];
      return [{ ...created!, event }, ...rest].map(encodeRecord).join("");
    });
    expect(await commandLine.refused("resume", other)).toMatchInlineSnapshot(`
      "exit code 2
      error: the run was decided by core version 99, this is version 1

      hint: install the version of thawline with core version 99 to look at this run"
    `);
  });
});

describe("a run that a controller holds", () => {
  test("is refused to a second one, and goes on", async () => {
    const slow = commandLine.writePythonFor("hangs.py");
    const first = commandLine.start(["run", "quickstart", ...SETTINGS, "--run-dir", "held"], slow);
    // The worker hangs once it was granted something, so the controller holds the run until it is told to stop.
    await commandLine.untilJournaled("held", "worker/applied");
    const mask = (text: string) => text.replace(/process id \d+/, "process id N");
    expect(mask(await commandLine.run("resume", "held"))).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/held\` is in use by the controller with process id N

      hint: look at it with \`npx thawline watch CWD/held\`, or stop it with \`npx thawline control CWD/held stop\`"
    `);
    expect(await commandLine.run("run", "quickstart", "--run-dir", "held")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/held\` exists and is not an empty folder

      hint: go on with it by \`npx thawline resume CWD/held\`, or choose another \`--run-dir\`"
    `);
    first.kill("SIGTERM");
    await commandLine.untilJournaled("held", "controller/interrupted");
    first.kill("SIGTERM");
    expect((await first).exitCode).toBe(130);
  });
});

describe("npx thawline control refuses", () => {
  test("a run without a controller", async () => {
    expect(await commandLine.refused("control", "finished", "pause")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`finished\` has finished

      hint: start another run with \`npx thawline run\`"
    `);
  });

  test("a command that does not exist, or lacks its factor", async () => {
    expect(await commandLine.refused("control", "finished", "puase")).toMatchInlineSnapshot(`
      "exit code 2
      error: there is no request \`puase\`

      hint: choose one of pause, continue, unfreeze, set-lr, evaluate, checkpoint, stop"
    `);
    expect(await commandLine.refused("control", "finished", "set-lr")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`set-lr\` needs a factor

      hint: for example \`npx thawline control RUN_DIR set-lr 0.5\` halves the rate"
    `);
    expect(await commandLine.refused("control", "finished", "pause", "--at", "0")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`--at\` is not an update

      hint: give a whole number from 1"
    `);
  });
});

describe("npx thawline replay", () => {
  test("ends with 3 where the journal holds other commands than it leads to", async () => {
    const diverged = await journalWith("diverged", (records) =>
      records
        .map((record) =>
          encodeRecord(JSON.parse(JSON.stringify(record).replace('"until":5', '"until":4')) as JournalRecord),
        )
        .join(""),
    );
    const shown = await commandLine.refused("replay", diverged);
    expect(shown.replace(/recorded .*/, "recorded ...")).toMatchInlineSnapshot(`
      "exit code 3
      error: record 7 (\`worker/reachedBoundary\`) gives other commands than the journal holds

      hint: recorded ..."
    `);
  });
});

test("npx thawline list shows a run that cannot be read beside the others", async () => {
  mkdirSync(join(commandLine.folder, "some"));
  cpSync(join(commandLine.folder, "finished"), join(commandLine.folder, "some", "whole"), { recursive: true });
  mkdirSync(join(commandLine.folder, "some", "broken"));
  writeFileSync(join(commandLine.folder, "some", "broken", "journal"), "no journal\n");
  const lines = (await commandLine.run("list", "some")).split("\n").sort().join("\n");
  expect(lines).toMatchInlineSnapshot(`
    "
    --- stdout
    exit code 0
    some/broken                                  unreadable: the journal is damaged at byte 0
    some/whole                                   finished        12/12  k 5 (fixed)"
  `);
});

/** What another version, or another program, may have written: whole lines, good checksums. */
const FOREIGN: Readonly<Record<string, (records: JournalRecord[]) => unknown[]>> = {
  "no-config": ([created, ...rest]) => [{ ...created, event: { ...created!.event, config: undefined } }, ...rest],
  "later-event": (records) =>
    records.map((record) => (record.n === 5 ? { ...record, event: { type: "a/b" } } : record)),
  "later-format": ([created, ...rest]) => [{ ...created, event: { ...created!.event, format: 3 } }, ...rest],
  "later-core": ([created, ...rest]) => [{ ...created, event: { ...created!.event, coreVersion: 99 } }, ...rest],
  "odd-body": (records) => records.map((r) => ("body" in r.event ? { ...r, event: { ...r.event, body: {} } } : r)),
  "odd-decision": (records) => records.map((record) => ({ ...record, decisions: [{ type: "a/b" }] })),
  "no-record": () => [7],
};

describe("a journal that this version did not write", () => {
  beforeAll(async () => {
    mkdirSync(join(commandLine.folder, "odd"));
    for (const [name, edit] of Object.entries(FOREIGN)) {
      await journalWith(`odd/${name}`, (records) =>
        edit(records)
          .map((record) => encodeRecord(record as never))
          .join(""),
      );
    }
    cpSync(join(commandLine.folder, "finished"), join(commandLine.folder, "odd", "whole"), { recursive: true });
  });

  test("is one row of `npx thawline list`, with the reason", async () => {
    const lines = (await commandLine.run("list", "odd")).split("\n").sort().join("\n");
    expect(lines).toMatchInlineSnapshot(`
      "
      --- stdout
      exit code 0
      odd/later-core                               unreadable: the run was decided by core version 99, this is version 1
      odd/later-event                              unreadable: record 5 (\`a/b\`) of the journal is none that this version writes: an event of that type is not known
      odd/later-format                             unreadable: the journal has format 3, this version reads 2
      odd/no-config                                unreadable: record 1 (\`run/created\`) of the journal is none that this version writes: \`config\` is missing
      odd/no-record                                unreadable: the record at byte 0 of the journal is none that this version writes: it holds no event
      odd/odd-body                                 unreadable: record 4 (\`worker/connected\`) of the journal is none that this version writes: Cannot convert undefined or null to object
      odd/odd-decision                             finished        12/12  k 5 (fixed)
      odd/whole                                    finished        12/12  k 5 (fixed)"
    `);
    const json = await commandLine.start(["list", "odd", "--json"]);
    expect(
      json.stdout
        .split("\n")
        .map((line) => (JSON.parse(line) as { status: string }).status)
        .sort(),
    ).toEqual(["finished", "finished", ...Array<string>(Object.keys(FOREIGN).length - 1).fill("unreadable")]);
  });

  test.each(Object.keys(FOREIGN))("ends what reads it with one sentence: %s", async (name) => {
    for (const args of [["watch", "--plain"], ["replay"], ["resume", "--plain"], ["control", "stop"]]) {
      const [verb = "", ...rest] = args;
      const shown = await commandLine.run(verb, `odd/${name}`, ...rest);
      expect(shown).not.toContain("this is a bug");
      expect(shown).not.toMatch(/^ {4}at /m);
      // Its decisions are compared, and read by nobody else.
      if (name === "odd-decision" && verb !== "watch") continue;
      expect(shown).toMatch(/^exit code 2\n/);
      expect(shown.match(/^error: /gm)).toHaveLength(1);
    }
  });
});

describe("a journal whose end a power cut has damaged", () => {
  /** The first `keep` records of the finished run as they were written, and zeros where the next ones began. */
  function cutOff(name: string, keep: number): string {
    const lines = readFileSync(join(commandLine.folder, "finished", "journal"), "utf8").split("\n");
    const whole = Buffer.from(`${lines.slice(0, keep).join("\n")}\n`);
    const next = Buffer.from(`${lines[keep]!.replace(/,"synced":\d+(?=\}$)/, "")}\n`).fill(0, 0, 40);
    mkdirSync(join(commandLine.folder, name), { recursive: true });
    writeFileSync(join(commandLine.folder, name, "journal"), Buffer.concat([whole, next]));
    return name;
  }

  test("is told by readers, and cut back by `resume`", async () => {
    const folder = cutOff("power/cut", 4);
    const note = /the journal ends in \d+ bytes that had not reached the disk .*: it counts to record 4/;
    expect(await commandLine.run("replay", folder)).toMatch(note);
    expect(await commandLine.run("list", "power")).toMatch(/its journal has lost \d+ bytes at the end/);
    const resumed = await commandLine.run("resume", folder, "--as-copy", "--plain");
    expect(resumed).toMatch(/^exit code 0\n/);
    expect(resumed).toMatch(note);
    expect(resumed).toContain("the rest is cut off");
    const again = await commandLine.run("replay", folder);
    expect(again).toMatch(/^exit code 0\n/);
    expect(again).not.toContain("not reached the disk");
  });
});
