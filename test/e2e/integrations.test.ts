import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Results } from "../../src/reading/results.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { findPython } from "../../src/launch/python.js";
import { PACKAGE_ROOT } from "../../src/package.js";

/** Runs another script, and ends it early. */
const ENDING_EARLY = join(PACKAGE_ROOT, "test", "fixtures", "scripts", "ending_early.py");
// Signals to the end: the checkpoints of steps 20 and 32, from which the tests resume last, are at a point of a signal.
const SETTINGS = ["probe.every=3", "probe.until=end", "intervention.epsilon=0.2", "intervention.k_max=18"];
let folder: string;
let python: string;

interface Run {
  readonly exitCode: number | undefined;
  readonly stderr: string;
  readonly results: Results;
  /** What the script itself printed. */
  readonly log: string;
}

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
  python = (await findPython({ env: process.env, packageRoot: PACKAGE_ROOT })).command;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Attaches Python, with these arguments, in a new run; its journal says the same again. */
async function attach(name: string, options: readonly string[], script: readonly string[]): Promise<Run> {
  const args = ["attach", ...SETTINGS, ...options, "--run-dir", name, "--headless", "--", python, ...script];
  const { exitCode, stderr } = await execa(process.execPath, [join(PACKAGE_ROOT, "dist/cli.js"), ...args], {
    cwd: folder,
    reject: false,
    stdin: "ignore",
  });
  const { records } = await readJournal(join(folder, name));
  verifyJournal(records);
  const read = (file: string): string => readFileSync(join(folder, name, file), "utf8");
  return { exitCode, stderr, results: JSON.parse(read("results.json")) as Results, log: read("worker.log") };
}

function example(name: string): string {
  return join(PACKAGE_ROOT, "examples", name);
}

test.each(["plain_loop.py", "hf_question_answering.py", "hf_language_model.py"])(
  "%s finds its k and ends with its blocks unfrozen",
  async (script) => {
    const { exitCode, results, log } = await attach(`${script}-run`, [], [example(script)]);
    expect(exitCode).toBe(0);
    expect(results).toMatchObject({ outcome: "finished", updates: 60, left_frozen: [] });
    expect(results.k?.value).toBeLessThanOrEqual(18);
    expect(log).toContain(`weights_sha256 ${results.weights_sha256}`);
  },
);

describe.each([
  // Steps of one process: the second begins after step 10, or 8, where there is no k yet.
  { script: "hf_trainer.py", length: ["--updates", "40"], updates: 40, numBlocks: 4, dieAfter: [11, 15] },
  { script: "lightning_module.py", length: ["--epochs", "5"], updates: 40, numBlocks: 2, dieAfter: [10, 27] },
])("$script", ({ script, length, updates, numBlocks, dieAfter }) => {
  test("killed before and after its decision, it ends as undisturbed, with blocks unfrozen; started anew, at once", async () => {
    const whole = [example(script), ...length, "--output", `${script}-1`];
    const undisturbed = await attach(`${script}-undisturbed`, [], whole);
    expect(undisturbed.exitCode).toBe(0);
    expect(undisturbed.results).toMatchObject({ outcome: "finished", updates });
    expect(undisturbed.results.k?.value).toBeGreaterThan(dieAfter[0]!);
    expect(undisturbed.results.k?.value).toBeLessThanOrEqual(18);
    const numUnfrozen = Math.floor(updates / undisturbed.results.k!.value);
    expect(undisturbed.results.left_frozen).toHaveLength(Math.max(0, numBlocks - numUnfrozen));
    expect(undisturbed.log).toContain(`weights_sha256 ${undisturbed.results.weights_sha256}`);

    const dying = [ENDING_EARLY, "--die-after", dieAfter.join(","), "--deaths", `${script}-deaths`];
    const command = [...dying, example(script), ...length, "--output", `${script}-2`];
    const restarted = await attach(`${script}-restarted`, ["--restart"], command);
    expect(restarted.exitCode).toBe(0);
    expect(restarted.results).toMatchObject({
      outcome: "finished",
      updates,
      attempts: 3,
      k: undisturbed.results.k,
      bit_identical: { promised: true },
      weights_sha256: undisturbed.results.weights_sha256,
    });

    // Its last checkpoint leaves nothing to do.
    const again = await attach(`${script}-again`, [], whole);
    expect(again.exitCode).toBe(0);
    const { k, weights_sha256 } = undisturbed.results;
    expect(again.results).toMatchObject({ outcome: "finished", updates, k: { value: k!.value }, weights_sha256 });
  });
});

test("an exception in Trainer's loop ends the run with its traceback", async () => {
  const script = [ENDING_EARLY, "--raise-after", "3", example("hf_trainer.py"), "--output", "raised"];
  const { exitCode, stderr } = await attach("raised-run", ["--restart"], script);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error: ZeroDivisionError: a bug in the script\n/);
  expect(stderr).toContain('raise ZeroDivisionError("a bug in the script")');
});
