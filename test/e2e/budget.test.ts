import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Decision } from "../../src/core/commands.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { findPython } from "../../src/launch/python.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import type { Results } from "../../src/reading/results.js";
import { TINY_RUN } from "./harness.js";

const SCRIPT = join(PACKAGE_ROOT, "test", "fixtures", "scripts", "plain_script.py");
/** Measuring costs more than that whatever the machine: a bound on `every` decides, not the clock. */
const TIGHT = "probe.budget=0.000001";
let folder: string;
let python: string;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
  python = (await findPython({ env: process.env, packageRoot: PACKAGE_ROOT })).command;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a folder of its own, which is also where temporary files go. */
function thawline(cwd: string, args: readonly string[]) {
  const options = { cwd, reject: false, stdin: "ignore", env: { TMPDIR: cwd } } as const;
  return execa(process.execPath, [join(PACKAGE_ROOT, "dist/cli.js"), ...args], options);
}

function newFolder(): string {
  return mkdtempSync(join(folder, "f"));
}

function resultsIn(runFolder: string): Results {
  return JSON.parse(readFileSync(join(runFolder, "results.json"), "utf8")) as Results;
}

async function chosenIn(runFolder: string): Promise<Extract<Decision, { type: "every/chosen" }>> {
  const { records } = await readJournal(runFolder);
  verifyJournal(records);
  const chosen = records.flatMap(({ decisions = [] }) => decisions.filter(({ type }) => type === "every/chosen"));
  expect(chosen).toHaveLength(1);
  return chosen[0] as Extract<Decision, { type: "every/chosen" }>;
}

test("a real run measures on the chosen grid, pairs its points on it, and replays", async () => {
  const cwd = newFolder();
  const args = [...TINY_RUN, "train.updates=100", "intervention.k_max=60", TIGHT];
  const { exitCode, stdout } = await thawline(cwd, ["run", "quickstart", ...args, "--run-dir", "r", "--plain"]);
  expect(exitCode).toBe(0);
  const chosen = await chosenIn(join(cwd, "r"));
  expect(chosen).toMatchObject({ initial: 2, every: 10, largest: 10, update: 4, dropped: [2, 4] });
  const { k, budget, bit_identical: identical } = resultsIn(join(cwd, "r"));
  expect(k).toMatchObject({ every: 10 });
  expect(budget).toMatchObject({ share: 0.000001, every: 10, kept: false, dropped_updates: [2, 4] });
  expect(identical).toMatchObject({ promised: false, dropped_because: [expect.stringContaining("`probe.budget`")] });
  expect(stdout).toMatch(/budget 0\.0 % cannot be kept: .* 2 points left out, at updates 2, 4/);
  const { records } = await readJournal(join(cwd, "r"));
  const metrics = records.flatMap(({ event }) =>
    event.type === "worker/reachedBoundary"
      ? event.body.metrics.map((metric) => ({ ...metric, update: event.body.update }))
      : [],
  );
  const later = metrics.filter(({ key, update }) => key === "probe/fisher_trace" && update > 4);
  expect(later.map(({ update }) => update)).toEqual([10, 20, 30, 40, 50, 60].slice(0, later.length));
  // At update 10 it is compared with point 0; with tau = 3, at 30 again, and not with what was measured at 2 and 4.
  expect(later.slice(0, 3).map(({ change_standard_error: error }) => typeof error)).toEqual([
    "number",
    "number",
    "number",
  ]);
  expect(later.slice(0, 3).map(({ span_standard_error: error }) => typeof error)).toEqual([
    "object",
    "object",
    "number",
  ]);
});

test("a script's run does the same, and what was chosen outlives its process", async () => {
  const cwd = newFolder();
  const settings = ["probe.every=2", "intervention.k_max=48", TIGHT, "--restart"];
  const dying = [SCRIPT, "--updates", "80", "--checkpoint", "c.pt", "--die-after", "33"];
  const args = ["attach", ...settings, "--run-dir", "r", "--headless", "--", python, ...dying];
  const { exitCode } = await thawline(cwd, args);
  expect(exitCode).toBe(0);
  expect(await chosenIn(join(cwd, "r"))).toMatchObject({ every: 8, largest: 8 });
  expect(resultsIn(join(cwd, "r"))).toMatchObject({ attempts: 2, k: { every: 8 } });
});

test("`run --dry-run` tells the share of real updates, and leaves nothing", async () => {
  const cwd = newFolder();
  const run = ["run", "quickstart", ...TINY_RUN, TIGHT, "--dry-run"];
  const { exitCode, stdout } = await thawline(cwd, [...run, "--json"]);
  expect(exitCode).toBe(0);
  const { config, trial } = JSON.parse(stdout) as { config: { probe: object }; trial: Record<string, unknown> };
  expect(config.probe).toMatchObject({ every: 2, until: "decision", budget: 0.000001 });
  expect(trial).toMatchObject({
    num_updates: 150,
    updates: 9,
    measurements: 3,
    mean_of: { measurements: 2, updates: 5 },
  });
  expect(trial["share"]).toBeGreaterThan(0);
  expect(trial["budget"]).toMatchObject({ every: 14, kept: false });
  expect(readdirSync(cwd)).toEqual([]);
});

test("`attach --dry-run` really starts the script, and leaves nothing of thawline's", async () => {
  const cwd = newFolder();
  const script = ["--", python, SCRIPT, "--updates", "80", "--checkpoint", "own.pt", "--checkpoint-every", "5"];
  const { exitCode, stdout, stderr } = await thawline(cwd, ["attach", "--dry-run", ...script]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain("note: the script is started and its first updates are tried in a temporary folder");
  expect(stdout).toMatch(/trial +9 updates and 3 measurements in a temporary folder, removed again; files of its own/);
  expect(stdout).toMatch(/share +measuring takes [\d.]+ % of training time at every = 10/);
  expect(readdirSync(cwd)).toEqual(["own.pt"]);
});

test("a trial that fails says why, with what the script printed, and leaves nothing", async () => {
  const cwd = newFolder();
  const script = ["--", python, SCRIPT, "--updates", "80", "--raise-after", "3"];
  const { exitCode, stderr } = await thawline(cwd, ["attach", "--dry-run", ...script]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("error: the trial failed: ");
  expect(readdirSync(cwd)).toEqual([]);
});

test("where nothing is measured nothing is started, and a run folder has no meaning", async () => {
  const cwd = newFolder();
  const missing = join(cwd, "nowhere.py");
  const dry = ["attach", "intervention.k=7", "--dry-run", "--", python, missing];
  const { exitCode, stdout } = await thawline(cwd, dry);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining("none are measured, so nothing was tried")]);
  expect(existsSync(missing)).toBe(false);
  const refused = await thawline(cwd, ["run", "quickstart", "--dry-run", "--run-dir", "r"]);
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("--run-dir")]);
});
