import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
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

/** A script that evaluates itself every fourth update; nothing is measured, and the plateau of its loss decides k. */
const SCRIPT = join(PACKAGE_ROOT, "test", "fixtures", "scripts", "plain_script.py");
const SETTINGS = ["intervention.signal=recorded:validation_loss", "intervention.k_max=60"];
const ARGUMENTS = ["--updates", "80", "--record-every", "4", "--without-probe"];
let folder: string;
let python: string;
let undisturbed: Run;

interface Run {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly folder: string;
  readonly results: () => Results;
}

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
  python = (await findPython({ env: process.env, packageRoot: PACKAGE_ROOT })).command;
  undisturbed = await attach("undisturbed", SETTINGS, ARGUMENTS);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function thawline(name: string, args: readonly string[]): Promise<Run> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [join(PACKAGE_ROOT, "dist/cli.js"), ...args], {
    cwd: folder,
    reject: false,
    stdin: "ignore",
  });
  const results = (): Results => JSON.parse(readFileSync(join(folder, name, "results.json"), "utf8")) as Results;
  return { exitCode, stdout, stderr, folder: join(folder, name), results };
}

function attach(name: string, options: readonly string[], script: readonly string[]): Promise<Run> {
  return thawline(name, ["attach", ...options, "--run-dir", name, "--headless", "--", python, SCRIPT, ...script]);
}

async function decisionsOf(run: Run): Promise<Decision[]> {
  const { records } = await readJournal(run.folder);
  verifyJournal(records);
  return records.flatMap(({ decisions = [] }) => decisions);
}

test("a recorded loss finds its k, at the boundary right after the evaluation that proved the plateau", async () => {
  expect(undisturbed.exitCode).toBe(0);
  const { k, recorded } = undisturbed.results();
  expect(k).toMatchObject({ source: "online", signal: "recorded:validation_loss", every: null, tau: 3 });
  expect(k!.value % 4).toBe(1);
  expect(k!.k_offline).toBe(k!.value - 12);
  expect(recorded["validation_loss"]).toMatchObject({ points: 20, last: { update: 81 } });
  expect(Object.keys(recorded)).toEqual(["validation_loss", "learning_rate"]);
  const judged = (await decisionsOf(undisturbed)).filter(({ type }) => type === "signal/judged");
  expect(judged).toHaveLength((k!.value - 1) / 4);
});

test("a fixed k of the same size gives the same weights", async () => {
  const k = undisturbed.results().k!.value;
  const twin = await attach("twin", [`intervention.k=${k}`], ARGUMENTS);
  expect(twin.results()).toMatchObject({ k: { value: k, source: "fixed" }, recorded: undisturbed.results().recorded });
  expect(twin.results().weights_sha256).toBe(undisturbed.results().weights_sha256);
});

test("killed right after it recorded, and around the decision, it decides as undisturbed", async () => {
  // Steps 20 and 40 are both recorded and checkpointed: what waits for its boundary is in the checkpoint.
  const dying = [...ARGUMENTS, "--checkpoint", "dying.pt", "--checkpoint-every", "20", "--die-after", "20", "40", "51"];
  const run = await attach("dying", [...SETTINGS, "--restart"], dying);
  expect(run.exitCode).toBe(0);
  const { k, recorded, weights_sha256: sha256, bit_identical: identical, attempts } = run.results();
  expect([attempts, identical.promised]).toEqual([4, true]);
  expect({ k, recorded, sha256 }).toEqual({
    k: undisturbed.results().k,
    recorded: undisturbed.results().recorded,
    sha256: undisturbed.results().weights_sha256,
  });
});

test("replay repeats the decision, and what-if answers with another tau, epsilon and mode", async () => {
  const replayed = await thawline("undisturbed", ["replay", "undisturbed", "--json"]);
  expect(JSON.parse(replayed.stdout)).toMatchObject({ k: undisturbed.results().k!.value });
  const ask = async (question: string): Promise<{ kOnline: number | null; offline: { reason: string | null } }> => {
    const { stdout } = await thawline("undisturbed", ["replay", "undisturbed", "--what-if", question, "--json"]);
    return JSON.parse(stdout) as { kOnline: number | null; offline: { reason: string | null } };
  };
  expect((await ask("tau=3")).kOnline).toBe(undisturbed.results().k!.value);
  expect(await ask("mode=max")).toMatchObject({ kOnline: null, offline: { reason: "it has never improved" } });
  // The rate falls by equal shares, so it improves to the end.
  expect((await ask("metric=recorded:learning_rate")).offline.reason).toBe("it improves to the end");
  const refused = await thawline("undisturbed", ["replay", "undisturbed", "--what-if", "metric=fisher_trace,mode=max"]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain("of `fisher_trace` no value is the better one");
});

test("a number that never comes is missed, by name and with those that came, and k is k_max", async () => {
  const run = await attach("unheard", SETTINGS, [...ARGUMENTS, "--record-as", "eval_loss"]);
  expect(run.exitCode).toBe(0);
  expect(run.results().k).toMatchObject({ value: 60, source: "cap", k_offline: null });
  expect((await decisionsOf(run)).filter(({ type }) => type === "signal/unheard")).toEqual([
    {
      type: "signal/unheard",
      update: 30,
      signal: "recorded:validation_loss",
      recorded: ["eval_loss", "learning_rate"],
    },
  ]);
  expect(run.stderr + run.stdout).toMatch(/never recorded,\s+recorded\s+were\s+`eval_loss`/);
});

test("rules without meaning for a signal are refused with a sentence", async () => {
  const refusal = async (...settings: string[]): Promise<string> => {
    const { exitCode, stderr } = await attach("refused", settings, ARGUMENTS);
    expect(exitCode).toBe(2);
    return stderr;
  };
  expect(await refusal("intervention.rule=plateau")).toContain("which values are better: of `fisher_trace` none are");
  expect(await refusal(...SETTINGS, "intervention.rule=stabilization")).toContain("needs the error of every change");
  expect(await refusal("intervention.signal=recorded:fisher_trace")).toContain("`fisher_trace` is measured");
  expect(await refusal("intervention.mode=max")).toContain("`intervention.mode` has no effect");
  expect(await refusal("intervention.signal=recorded:a b")).toContain("expected `recorded:` and a name");
});
