import { cpSync, mkdirSync, writeFileSync } from "node:fs";
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
  mkdirSync(join(commandLine.folder, name));
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

      hint: install the version of thawline with core version 99 to go on with this run"
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
      error: there is no command \`puase\`

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
