import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { firstDifference, evidenceOf } from "../../scripts/chaos/evidence.mjs";
import { readJournal } from "../../src/journal/reader.js";
import { replayJournal } from "../../src/journal/replay.js";
import type { State } from "../../src/core/state.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { seededRandom } from "../support/random.js";
import { Terminal } from "../support/terminal/terminal.js";
import { livingWorkers, newRunFolder, runTiny, TINY_RUN, tinyConfig } from "./harness.js";

const CLI = join(PACKAGE_ROOT, "dist", "cli.js");
/** Long enough to be looked at while it trains. */
const LENGTH = ["train.updates=400", "intervention.k_max=90", "checkpoint.every=150"];
const LEAVES_SCREEN = "\u001b[?1049l\u001b[?25h";

const undisturbed = newRunFolder();
const runFolder = join(newRunFolder(), "run");
let terminal: Terminal;
let modes: unknown;

function view(...args: string[]): Promise<void> {
  const environment = { ...process.env, LANG: "C.UTF-8", TERM: "xterm-256color", NO_COLOR: "1", CI: "false" };
  return terminal.start([process.execPath, CLI, ...args], PACKAGE_ROOT, environment);
}

/** What has been drawn by the time that it holds this. */
async function untilDrawn(text: RegExp): Promise<string> {
  let drawn = "";
  await expect.poll(async () => (drawn += await terminal.drawn())).toMatch(text);
  return drawn;
}

async function stateOf(folder: string): Promise<State> {
  const { records } = await readJournal(folder);
  return replayJournal(records);
}

async function updatesMade(folder = runFolder): Promise<number> {
  return (await stateOf(folder)).progress.frontier;
}

/** The view is gone, the shell's screen is back, and its modes are what they were. */
async function expectTidy(drawn = ""): Promise<void> {
  expect(drawn + (await terminal.drawn())).toContain(LEAVES_SCREEN);
  expect(await terminal.modes()).toEqual(modes);
}

beforeAll(async () => {
  await runTiny(undisturbed, tinyConfig(...LENGTH));
  terminal = new Terminal(inject("realPython"));
  await terminal.resize(40, 120);
  modes = await terminal.modes();
});
afterAll(() => terminal.close());

describe("the live view, whatever happens to its terminal", () => {
  test("sizes change at 50 to 100 Hz: it lives, and draws for the last of them", async () => {
    const random = seededRandom();
    await view("run", "quickstart", "--run-dir", runFolder, ...TINY_RUN, ...LENGTH);
    await untilDrawn(/detector of tr\(F\)/);
    for (let change = 0; change < 150; change += 1) {
      await terminal.resize(1 + Math.floor(60 * random()), 1 + Math.floor(200 * random()));
      await sleep(10 + 10 * random());
    }
    await terminal.resize(5, 30);
    await untilDrawn(/the view needs/);
    await terminal.resize(40, 120);
    await untilDrawn(/detector of tr\(F\)/);
    await terminal.type("q");
    expect(await terminal.end()).toEqual({ exitCode: 0 });
    await expectTidy();
  });

  test("nobody reads it: the run goes on", async () => {
    await view("watch", runFolder);
    await untilDrawn(/detector of tr\(F\)/);
    await terminal.read(false);
    const before = await updatesMade();
    await expect.poll(() => updatesMade()).toBeGreaterThan(Math.min(before + 40, 400));
    await terminal.read(true);
    await terminal.drawn();
    await untilDrawn(/update/);
    await terminal.type("q");
    expect(await terminal.end()).toEqual({ exitCode: 0 });
    await expectTidy();
  });

  test("stopped and continued it is drawn again", async () => {
    await view("watch", runFolder);
    await untilDrawn(/detector of tr\(F\)/);
    terminal.signal("SIGTSTP");
    expect(await terminal.end()).toEqual({ stopped: "SIGTSTP" });
    await terminal.drawn();
    await terminal.continue();
    // A change of size is what a shell's `fg` brings with it where the window has changed meanwhile.
    await terminal.resize(41, 121);
    await untilDrawn(/detector of tr\(F\)/);
    await terminal.type("q");
    expect(await terminal.end()).toEqual({ exitCode: 0 });
    await expectTidy();
  });

  test.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)(
    "%s ends it, and leaves the terminal as it was",
    async (signal) => {
      await view("watch", runFolder);
      const drawn = await untilDrawn(/detector of tr\(F\)/);
      terminal.signal(signal);
      await terminal.end();
      await expectTidy(drawn);
    },
  );

  test("Ctrl-C leaves a run that is watched", async () => {
    await view("watch", runFolder);
    await untilDrawn(/detector of tr\(F\)/);
    await terminal.type("\u0003");
    expect(await terminal.end()).toEqual({ exitCode: 0 });
    await expectTidy();
  });

  test("Ctrl-C twice in one write orders the stop and leaves", async () => {
    const stopped = join(newRunFolder(), "run");
    await view("run", "quickstart", "--run-dir", stopped, ...TINY_RUN, ...LENGTH);
    const drawn = await untilDrawn(/detector of tr\(F\)/);
    // Before the first update there is nothing to keep.
    await expect.poll(() => updatesMade(stopped)).toBeGreaterThan(1);
    await terminal.type("\u0003\u0003");
    expect(await terminal.end()).toEqual({ exitCode: 130 });
    await expectTidy(drawn);
    await expect.poll(async () => (await stateOf(stopped)).end?.outcome).toBe("stopped");
    expect((await stateOf(stopped)).weights.checkpoints).not.toEqual([]);
    await expect.poll(() => livingWorkers(stopped)).toEqual([]);
  });

  test("SIGKILL ends nothing but the view", async () => {
    await view("watch", runFolder);
    await untilDrawn(/detector of tr\(F\)/);
    terminal.signal("SIGKILL");
    expect(await terminal.end()).toEqual({ signal: "SIGKILL" });
  });

  test("after all of it the run is the undisturbed one, bit for bit", async () => {
    await expect
      .poll(() => existsSync(join(runFolder, "results.json")) && existsSync(join(runFolder, "manifest.json")))
      .toBe(true);
    const [expected, found] = [await evidenceOf(undisturbed), await evidenceOf(runFolder)];
    expect(firstDifference(expected["results"], found["results"], "results")).toBeNull();
    for (const part of ["series", "interval", "decisions", "scores", "masks"]) {
      expect(firstDifference(expected[part], found[part], part)).toBeNull();
    }
    expect(JSON.parse(readFileSync(join(runFolder, "results.json"), "utf8"))).toMatchObject({ attempts: 1 });
    await expect.poll(() => livingWorkers(runFolder)).toEqual([]);
  });
});
