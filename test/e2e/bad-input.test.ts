import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventType } from "../../src/core/events.js";
import { bundledDataFolder } from "../../src/config/paths.js";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { followJournal, readJournal } from "../../src/journal/reader.js";
import { findPython } from "../../src/launch/python.js";

const ROOT = resolve(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist/cli.js");
const WORKER = join(ROOT, "test/fixtures/workers/scripted_worker.py");
const SETTINGS = ["train.updates=12", "probe.every=2", "intervention.k=5", "checkpoint.every=6"];

let folder: string;
/** The real interpreter, and one that runs the scripted worker in place of the real one. */
let python: string;
let scriptedPython: string;

/** One finished run, for everything that wants to look at one. */
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
  python = (await findPython({ env: process.env, packageRoot: ROOT })).command;
  scriptedPython = writeProgram(
    "scripted-python",
    `[ "$1" = -m ] && exec "${python}" "${WORKER}"\nexec "${python}" "$@"`,
  );
  expect(await thawline("run", "quickstart", ...SETTINGS, "--run-dir", "finished", "--headless")).toMatch(
    /^exit code 0\n/,
  );
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function writeProgram(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return execa(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, THAWLINE_PYTHON: scriptedPython, ...env },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
}

/** Everything a user sees of one command, with what differs between machines left out. */
async function thawline(...args: string[]): Promise<string> {
  return seen(await start(args));
}

function seen({ exitCode, stdout, stderr }: { exitCode?: number; stdout: string; stderr: string }): string {
  return [`exit code ${exitCode ?? "none"}`, ...(stdout === "" ? [] : ["--- stdout", stdout]), stderr]
    .join("\n")
    .replaceAll(ROOT, "ROOT")
    .replaceAll(folder, "CWD");
}

/** What is left for whoever reads only stderr. */
function complaint({ exitCode, stderr }: { exitCode?: number; stderr: string }): string {
  return seen(exitCode === undefined ? { stdout: "", stderr } : { exitCode, stdout: "", stderr });
}

/** A copy of the finished run's journal in a folder of its own, changed by `edit`. */
async function journalWith(name: string, edit: (records: JournalRecord[]) => string): Promise<string> {
  const { records } = await readJournal(join(folder, "finished"));
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "journal"), edit([...records]));
  return name;
}

/** What lies in the folder before and after: a command that refuses must not begin. */
async function refused(...args: string[]): Promise<string> {
  const before = readdirSync(folder, { recursive: true }).sort();
  const text = await thawline(...args);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
  return text;
}

async function untilJournaled(run: string, type: EventType): Promise<void> {
  const seenEnough = new AbortController();
  for await (const records of followJournal(join(folder, run), { signal: seenEnough.signal, pollMilliseconds: 20 })) {
    if (records.some(({ event }) => event.type === type)) seenEnough.abort();
  }
}

describe("thawline run refuses", () => {
  test("an unknown key", async () => {
    expect(await refused("run", "quickstart", "sed=3")).toMatchInlineSnapshot(`
      "exit code 2
      error: command line: unknown key \`sed\`

      hint: did you mean \`seed\`?"
    `);
  });

  test("a value of the wrong type", async () => {
    expect(await refused("run", "quickstart", "train.updates=abc")).toMatchInlineSnapshot(`
      "exit code 2
      error: command line: \`train.updates\`: expected a number, got \`abc\`

      hint: \`thawline config show quickstart\` prints every key with its value"
    `);
  });

  test("an unknown preset", async () => {
    expect(await refused("run", "quikstart")).toMatchInlineSnapshot(`
      "exit code 2
      error: there is no preset \`quikstart\`

      hint: did you mean \`quickstart\`? (presets are \`mnist-resnet18\`, \`quickstart\`; a file is given by its path, like \`./my.yaml\`)"
    `);
  });

  test("data that are not there", async () => {
    expect(await refused("run", "quickstart", "data.path=nowhere")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`data.path\` names \`CWD/nowhere\`, which does not exist

      hint: correct \`data.path\`, or leave it out to use the MNIST files that come with thawline"
    `);
  });

  test("a folder that lacks data", async () => {
    expect(await refused("run", "quickstart", "data.path=finished")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/finished\` lacks \`train-images-idx3-ubyte\`, \`train-labels-idx1-ubyte\`, \`t10k-images-idx3-ubyte\`, \`t10k-labels-idx1-ubyte\`

      hint: an MNIST folder holds the four IDX files under their published names, with or without \`.gz\`"
    `);
  });

  test("a run folder below a file", async () => {
    expect(await refused("run", "quickstart", "--run-dir", "scripted-python/run")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/scripted-python/run\` cannot be written (ENOTDIR)

      hint: choose a writable folder with \`--run-dir\`"
    `);
  });

  test("a run folder that exists", async () => {
    expect(await refused("run", "quickstart", "--run-dir", "finished")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/finished\` exists and is not an empty folder

      hint: go on with it by \`thawline resume CWD/finished\`, or choose another \`--run-dir\`"
    `);
  });

  test("an interpreter that is not there", async () => {
    const result = await start(["run", "quickstart", "--run-dir", "new"], { THAWLINE_PYTHON: "/nonexistent" });
    expect(seen(result)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`/nonexistent\` cannot be run as Python

      hint: point \`THAWLINE_PYTHON\` at Python 3.11 or newer, or set one up with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
    expect(readdirSync(folder)).not.toContain("new");
  });

  test("an interpreter without PyTorch", async () => {
    // -S leaves out site-packages, as a bare installation would.
    const bare = writeProgram("bare-python", `exec "${python}" -I -S "$@"`);
    const result = await start(["run", "quickstart", "--run-dir", "new"], { THAWLINE_PYTHON: bare });
    expect(seen(result)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/bare-python\` lacks the packages \`torch\`, \`numpy\`, \`scipy\`, \`pillow\`, \`safetensors\`, \`pyzmq\`, \`msgspec\`

      hint: run \`CWD/bare-python -m pip install torch numpy scipy pillow safetensors pyzmq msgspec\`, or set up an environment with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
    expect(readdirSync(folder)).not.toContain("new");
  });
});

test("a worker that finds its data corrupt ends the run as failed", async () => {
  const data = join(folder, "data");
  cpSync(bundledDataFolder(), data, { recursive: true });
  truncateSync(join(data, "t10k-images-idx3-ubyte"), 1000);
  const result = await start(["run", "quickstart", "data.path=data", "--run-dir", "corrupt", "--json"], {
    THAWLINE_PYTHON: python,
  });
  expect(complaint(result)).toMatchInlineSnapshot(`
    "exit code 2
    error: CWD/data/t10k-images-idx3-ubyte is not a valid IDX file: its header announces 7840016 bytes in all, but there are 1000

    hint: fetch the file again"
  `);
  const results = JSON.parse(readFileSync(join(folder, "corrupt", "results.json"), "utf8")) as object;
  expect(results).toMatchObject({ outcome: "failed", updates: 0, attempts: 1 });
});

test("a run whose worker is lost says so on stderr, with the end of its output", async () => {
  const crashing = writeProgram(
    "crashing-python",
    `[ "$1" = -m ] && { echo "no such device"; exit 7; }\nexec "${python}" "$@"`,
  );
  const settings = [...SETTINGS, "supervision.max_restarts=0"];
  const result = await start(["run", "quickstart", ...settings, "--run-dir", "lost", "--json"], {
    THAWLINE_PYTHON: crashing,
  });
  expect(complaint(result)).toMatchInlineSnapshot(`
    "exit code 1
    error: the worker failed: it exited with code 7 without closing before training

    hint: the end of \`worker.log\`:
    no such device"
  `);
});

describe("thawline resume refuses", () => {
  test("a folder that is no run", async () => {
    expect(await refused("resume", ".")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD\` is not a run folder: it holds no journal

      hint: name a folder that \`thawline run\` made"
    `);
    expect(await refused("resume", "nowhere")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/nowhere\` is not a run folder: it holds no journal

      hint: name a folder that \`thawline run\` made"
    `);
    expect(await refused("resume", "scripted-python")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/scripted-python\` is not a run folder: it holds no journal

      hint: name a folder that \`thawline run\` made"
    `);
  });

  test("settings", async () => {
    expect(await refused("resume", "finished", "seed=3")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`seed=3\` cannot be given: a resumed run keeps the configuration of its journal

      hint: start a new run with \`thawline run\` to change a setting"
    `);
  });

  test("a damaged journal", async () => {
    const damaged = await journalWith("damaged", (records) =>
      records.map(encodeRecord).join("").replace("quickstart", "quickstars"),
    );
    expect(await refused("resume", damaged)).toMatchInlineSnapshot(`
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
    expect(await refused("resume", other)).toMatchInlineSnapshot(`
      "exit code 2
      error: the run was decided by core version 99, this is version 1

      hint: install the version of thawline with core version 99 to go on with this run"
    `);
  });
});

describe("a run that a controller holds", () => {
  test("is refused to a second one, and goes on", async () => {
    const slow = writeProgram(
      "slow-python",
      `[ "$1" = -m ] && exec "${python}" "${WORKER.replace("scripted_worker", "hangs")}"\nexec "${python}" "$@"`,
    );
    const first = start(["run", "quickstart", ...SETTINGS, "--run-dir", "held"], { THAWLINE_PYTHON: slow });
    // The worker hangs once it was granted something, so the controller holds the run until it is told to stop.
    await untilJournaled("held", "worker/applied");
    const mask = (text: string) => text.replace(/process id \d+/, "process id N");
    expect(mask(await thawline("resume", "held"))).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/held\` is in use by the controller with process id N

      hint: look at it with \`thawline watch CWD/held\`, or stop it with \`thawline control CWD/held stop\`"
    `);
    expect(await thawline("run", "quickstart", "--run-dir", "held")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/held\` exists and is not an empty folder

      hint: go on with it by \`thawline resume CWD/held\`, or choose another \`--run-dir\`"
    `);
    first.kill("SIGTERM");
    await untilJournaled("held", "controller/interrupted");
    first.kill("SIGTERM");
    expect((await first).exitCode).toBe(130);
  });
});

test("a run goes on when nobody reads what it says any more", async () => {
  const run = start(["run", "quickstart", ...SETTINGS, "--run-dir", "unread", "--json"]);
  // Leaving the loop closes the pipe.
  for await (const line of run) if (line !== "") break;
  expect((await run).exitCode).toBe(0);
  const results = JSON.parse(readFileSync(join(folder, "unread", "results.json"), "utf8")) as object;
  expect(results).toMatchObject({ outcome: "finished", updates: 12 });
});

describe("thawline control refuses", () => {
  test("a run without a controller", async () => {
    expect(await refused("control", "finished", "pause")).toMatchInlineSnapshot(`
      "exit code 2
      error: no controller is running \`finished\`

      hint: go on with it by \`thawline resume finished\`"
    `);
  });

  test("a command that does not exist, or lacks its factor", async () => {
    expect(await refused("control", "finished", "puase")).toMatchInlineSnapshot(`
      "exit code 2
      error: there is no command \`puase\`

      hint: choose one of pause, continue, unfreeze, set-lr, evaluate, checkpoint, stop"
    `);
    expect(await refused("control", "finished", "set-lr")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`set-lr\` needs a factor

      hint: for example \`thawline control RUN_DIR set-lr 0.5\` halves the rate"
    `);
    expect(await refused("control", "finished", "pause", "--at", "0")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`--at\` is not an update

      hint: give a whole number from 1"
    `);
  });
});

describe("thawline replay", () => {
  test("ends with 3 where the journal holds other commands than it leads to", async () => {
    const diverged = await journalWith("diverged", (records) =>
      records
        .map((record) =>
          encodeRecord(JSON.parse(JSON.stringify(record).replace('"until":5', '"until":4')) as JournalRecord),
        )
        .join(""),
    );
    const shown = await refused("replay", diverged);
    expect(shown.replace(/recorded .*/, "recorded ...")).toMatchInlineSnapshot(`
      "exit code 3
      error: record 7 (\`worker/reachedBoundary\`) gives other commands than the journal holds

      hint: recorded ..."
    `);
  });
});

test("thawline list shows a run that cannot be read beside the others", async () => {
  mkdirSync(join(folder, "some"));
  cpSync(join(folder, "finished"), join(folder, "some", "whole"), { recursive: true });
  mkdirSync(join(folder, "some", "broken"));
  writeFileSync(join(folder, "some", "broken", "journal"), "no journal\n");
  const lines = (await thawline("list", "some")).split("\n").sort().join("\n");
  expect(lines).toMatchInlineSnapshot(`
    "
    --- stdout
    exit code 0
    some/broken                                  unreadable: the journal is damaged at byte 0
    some/whole                                   finished        12/12  k 5 (fixed)"
  `);
});
