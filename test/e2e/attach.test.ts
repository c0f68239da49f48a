import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Decision } from "../../src/core/commands.js";
import type { Results } from "../../src/reading/results.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { findPython } from "../../src/launch/python.js";
import { PACKAGE_ROOT } from "../../src/package.js";

/** A tiny training of plain PyTorch whose tr(F) settles early; its checkpoints are its own. */
const SCRIPT = join(PACKAGE_ROOT, "test", "fixtures", "scripts", "plain_script.py");
const SETTINGS = ["probe.every=2", "intervention.epsilon=0.05", "intervention.k_max=50"];
const UPDATES = ["--updates", "80"];
let folder: string;
let python: string;
let undisturbed: Run;

interface Run {
  readonly exitCode: number | undefined;
  readonly stderr: string;
  readonly folder: string;
  readonly results: () => Results;
  /** What the script itself printed. */
  readonly log: () => string;
}

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
  python = (await findPython({ env: process.env, packageRoot: PACKAGE_ROOT })).command;
  undisturbed = await attach("undisturbed", SETTINGS, [SCRIPT, ...UPDATES]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function thawline(name: string, args: readonly string[]): Promise<Run> {
  const { exitCode, stderr } = await execa(process.execPath, [join(PACKAGE_ROOT, "dist/cli.js"), ...args], {
    cwd: folder,
    reject: false,
    stdin: "ignore",
  });
  const read = (file: string): string => readFileSync(join(folder, name, file), "utf8");
  return {
    exitCode,
    stderr: stderr.replaceAll(folder, "CWD"),
    folder: join(folder, name),
    results: () => JSON.parse(read("results.json")) as Results,
    log: () => read("worker.log"),
  };
}

/** Attaches Python, with these arguments, in a new run. */
function attach(name: string, options: readonly string[], script: readonly string[]): Promise<Run> {
  return thawline(name, ["attach", ...options, "--run-dir", name, "--headless", "--", python, ...script]);
}

/** As many arguments as a script needs that dies after these updates. */
function dying(checkpoint: string, ...updates: number[]): string[] {
  return [SCRIPT, ...UPDATES, "--checkpoint", checkpoint, "--die-after", ...updates.map(String)];
}

async function decisionsOf(run: Run): Promise<Decision[]> {
  const { records } = await readJournal(run.folder);
  verifyJournal(records);
  return records.flatMap(({ decisions = [] }) => decisions);
}

function expectUndisturbed(run: Run): void {
  expect(run.exitCode).toBe(0);
  expect(run.results()).toMatchObject({ outcome: "finished", updates: 80, bit_identical: { promised: true } });
  expect(run.results().k).toEqual(undisturbed.results().k);
  expect(run.results().weights_sha256).toBe(undisturbed.results().weights_sha256);
}

test("a script finds its k, and says in its own log what the results say", () => {
  const { k, weights_sha256: sha256 } = undisturbed.results();
  expect(undisturbed.exitCode).toBe(0);
  expect(k).toMatchObject({ source: "online" });
  expect(undisturbed.log()).toContain(`weights_sha256 ${sha256}`);
  const manifest = JSON.parse(readFileSync(join(undisturbed.folder, "manifest.json"), "utf8")) as object;
  expect(manifest).toMatchObject({ data: null, script: { command: [python, SCRIPT, ...UPDATES], folder } });
});

test("killed before and after the decision and started again each time, it ends as undisturbed", async () => {
  const run = await attach("restarted", [...SETTINGS, "--restart"], dying("restarted.pt", 13, 45));
  expectUndisturbed(run);
  expect(run.results().attempts).toBe(3);
  const voided = (await decisionsOf(run)).filter(({ type }) => type === "history/voided");
  expect(voided).toEqual([{ type: "history/voided", step: 10, points: 1, k: null, changes: 0 }]);
});

test("without `--restart` a death ends the run, and `resume` starts the same command in the same folder", async () => {
  const dead = await attach("resumed", SETTINGS, dying("resumed.pt", 37));
  expect(dead.exitCode).toBe(1);
  expect(dead.stderr).toMatch(/^error: the script failed: it was ended by SIGKILL without closing/);
  expect(dead.stderr).toContain("`npx thawline resume` starts the script again");
  expect(dead.results().k?.value).toBe(undisturbed.results().k?.value);
  // k was decided at 36, and the checkpoint is of step 30: it is decided anew.
  const run = await thawline("resumed", ["resume", "resumed", "--headless"]);
  expectUndisturbed(run);
  const decisions = await decisionsOf(run);
  expect(decisions.filter(({ type }) => type === "interval/decided")).toHaveLength(2);
  expect(decisions.filter(({ type }) => type === "signal/differed")).toEqual([]);
});

test("stopped by Ctrl-C it saves after its loop, and goes on from there as undisturbed", async () => {
  const checkpoint = ["--checkpoint", "stopped.pt", "--checkpoint-every", "1000"];
  const stopped = await attach("stopped", SETTINGS, [SCRIPT, ...UPDATES, ...checkpoint, "--interrupt-after", "23"]);
  expect(stopped.exitCode).toBe(130);
  expect(stopped.results()).toMatchObject({ outcome: "stopped", updates: 23 });
  expectUndisturbed(await thawline("stopped", ["resume", "stopped", "--headless"]));
});

test("a new run takes series and k from the script's checkpoint", async () => {
  const dead = await attach("origin", SETTINGS, dying("origin.pt", 41));
  expect(dead.exitCode).toBe(1);
  const run = await attach("moved", SETTINGS, [SCRIPT, ...UPDATES, "--checkpoint", "origin.pt"]);
  expectUndisturbed(run);
  const k = undisturbed.results().k?.value;
  expect(await decisionsOf(run)).toContainEqual({
    type: "history/adopted",
    run: dead.results().run,
    step: 40,
    points: 19,
    k,
  });
});

test("a checkpoint without the state of a run is refused", async () => {
  const script = [...dying("stateless.pt", 13), "--without-state"];
  await attach("stateless", SETTINGS, script);
  const run = await thawline("stateless", ["resume", "stateless", "--headless"]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toMatchInlineSnapshot(`
      "error: the script resumed from step 10 without the state of a run

      hint: keep \`run.state_dict()\` in the script's checkpoint, and give it to \`run.load_state_dict\` on resume"
    `);
});

test("gradients accumulated over batches are one update, and a controller that only watches changes no bit", async () => {
  const script = [SCRIPT, "--updates", "20", "--accumulate", "3"];
  const env = { PYTHONPATH: join(PACKAGE_ROOT, "python") };
  const alone = await execa(python, script, { cwd: folder, env });
  expect(alone.stderr).toContain("THAWLINE_BOOTSTRAP is not set");
  const run = await attach("accumulated", ["probe.every=5", "probe.until=end", "intervention.kind=none"], script);
  expect(run.results()).toMatchObject({ outcome: "finished", updates: 20, k: null });
  expect(run.log().trim()).toBe(alone.stdout.trim());
});

test("a factor multiplies the rates of a scheduler that sets them before each update", async () => {
  const script = [SCRIPT, "--updates", "8", "--learning-rates", "rates.txt"];
  const run = await attach("rates", ["intervention.kind=learning_rate_switch", "intervention.k=5"], script);
  expect(run.exitCode).toBe(0);
  const used = readFileSync(join(folder, "rates.txt"), "utf8").split("\n").map(Number);
  const scheduled = Array.from({ length: 8 }, (_, step) => 0.1 * (1 / (1 + 0.02 * step)));
  expect(used).toEqual(scheduled.map((rate, step) => (step + 1 < 5 ? rate * 0.1 : rate)));
});

test("a release warm-up goes on in the middle of a ramp, in the same run and in a new one with the same W", async () => {
  const settings = (warmup: number): string[] => ["intervention.k=20", `intervention.release_warmup=${warmup}`];
  const byBlock = [...UPDATES, "--by-block"];
  const whole = await attach("warm", settings(15), [SCRIPT, ...byBlock]);
  expect(whole.results()).toMatchObject({ outcome: "finished", left_frozen: [], release_warmup: { updates: 15 } });
  const sudden = await attach("sudden", ["intervention.k=20"], [SCRIPT, ...byBlock]);
  expect(sudden.results().release_warmup).toBeNull();
  expect(sudden.results().weights_sha256).not.toBe(whole.results().weights_sha256);

  // The checkpoint of step 30 is the tenth update of the first ramp, 20 to 34.
  const script = [...dying("warm.pt", 37), "--by-block"];
  const restarted = await attach("warm-restarted", [...settings(15), "--restart"], script);
  expect(restarted.results()).toMatchObject({ attempts: 2, weights_sha256: whole.results().weights_sha256 });
  await decisionsOf(restarted);

  await attach("warm-dead", settings(15), [...dying("warm-dead.pt", 33), "--by-block"]);
  const again = [SCRIPT, ...byBlock, "--checkpoint", "warm-dead.pt"];
  const other = await attach("warm-other", settings(30), again);
  expect(other.exitCode).toBe(2);
  expect(other.stderr).toContain(
    "error: the script resumed from step 30 with third warming up over 15 updates from 20 on, but this run's schedule " +
      "says third warming up over 30 updates from 20 on\n",
  );
  const moved = await attach("warm-moved", settings(15), again);
  expect(moved.results()).toMatchObject({ attempts: 1, weights_sha256: whole.results().weights_sha256 });
});

test("a release warm-up of an optimizer whose groups mix blocks is refused by name", async () => {
  const run = await attach("mixed", ["intervention.k=20", "intervention.release_warmup=5"], [SCRIPT, ...UPDATES]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toMatchInlineSnapshot(`
    "error: attach: group 0 of \`optimizer\` holds parameters of head, third, second and 1 more, but with \`intervention.release_warmup\` the learning rate of each block rises by itself

    hint: make the optimizer of groups by block, for example \`AdamW(thawline.groups_by_block(model.parameters(), model, blocks=blocks, head=head), lr=...)\`"
  `);
});

test.each([
  ["ends at once", ["-c", "print('done')"], [], 2, "the script ended without having called `thawline.attach`"],
  [
    "goes on without attaching",
    ["-c", "import time; time.sleep(60)"],
    ["supervision.connect_seconds=0.5"],
    2,
    "the script did not call `thawline.attach` within 0.5 s",
  ],
  [
    "exits with a code of its own",
    ["-c", "print('no data'); raise SystemExit(3)"],
    [],
    1,
    "the script exited with code 3 before it called `thawline.attach`\n\nhint: the end of `worker.log`:\nno data",
  ],
  [
    "is not there",
    ["missing_script.py"],
    [],
    1,
    "the script exited with code 2 before it called `thawline.attach`\n\nhint: the end of `worker.log`:\n" +
      "python: can't open file 'CWD/missing_script.py': [Errno 2] No such file or directory",
  ],
])("a script that %s is told in one sentence", async (name, script, settings, exitCode, sentence) => {
  const run = await attach(name.replaceAll(" ", "-"), settings, script);
  expect(run.exitCode).toBe(exitCode);
  expect(run.stderr.replaceAll(inject("realPython"), "python")).toContain(`error: ${sentence}`);
});

test("of two processes of one command that both attach, one trains and the other is refused at once", async () => {
  const both = await thawline("both", [
    ...["attach", ...SETTINGS, "--run-dir", "both", "--headless", "--"],
    ...["sh", "-c", '"$0" "$@" & "$0" "$@"; wait', python, SCRIPT, ...UPDATES],
  ]);
  expectUndisturbed(both);
  const refused =
    /another process of this run, or .*, has taken it\nhint: attach once, in one process \(of several ranks in rank 0\)/g;
  expect(both.log().match(refused)).toHaveLength(1);
});

test("an exception in the loop, and a failure after it, end the run with the script's last words", async () => {
  const raised = await attach("raised", SETTINGS, [SCRIPT, "--raise-after", "3"]);
  expect(raised.exitCode).toBe(1);
  expect(raised.stderr).toMatch(/^error: ZeroDivisionError: a bug in the script\n/);
  expect(raised.stderr).toContain('raise ZeroDivisionError("a bug in the script")');
  const late = await attach("late", SETTINGS, [SCRIPT, "--updates", "4", "--exit-at-the-end", "4"]);
  expect(late.exitCode).toBe(1);
  expect(late.stderr).toMatch(/^error: the training finished, but then the script exited with code 4\n/);
});

test.each([
  ["no command", ["probe.every=5"], [], "the command that starts your script is missing"],
  ["no such program", [], ["--", "pyhton", "train.py"], "there is no program `pyhton` on the PATH"],
  [
    "a key of the built-in training",
    ["train.updates=5"],
    ["--", "true"],
    "command line: `train` does not apply: an attached script brings its own optimizer and length",
  ],
])("%s: refused before anything is created", async (_, settings, command, sentence) => {
  const run = await thawline("refused", ["attach", ...settings, "--run-dir", "refused", ...command]);
  expect(run.exitCode).toBe(2);
  expect(run.stderr.split("\n")[0]).toBe(`error: ${sentence}`);
  expect(existsSync(run.folder)).toBe(false);
});
