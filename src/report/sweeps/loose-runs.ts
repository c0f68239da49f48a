import { basename } from "node:path";
import { composeManifest } from "../../runs/manifest.js";
import type { Sweep, SweptRun, RunStanding } from "../../sweep/swept-run.js";
import type { RunFacts } from "../facts/run-facts.js";
import type { UnreadRun } from "../run-cache.js";
import { differencesOf } from "./differences.js";
import type { SweepFacts } from "./sweep-facts.js";

/**
 * Runs that nobody planned together, as a sweep: those whose configurations differ in their seed only are a condition,
 * which is named by what it has of its own.
 */
export function looseRuns(runs: readonly RunFacts[], unread: readonly UnreadRun[], folder: string): SweepFacts {
  const differences = differencesOf(runs.map(({ state }) => state.config));
  const names = conditionNames(runs, differences);
  const ids = uniqueNames(runs.map((run) => basename(run.folder)));
  const swept = runs.map((run, index): SweptRun => sweptRun(run, ids[index]!, names[index]!));
  const conditions = [...new Set(names)];
  const plain = conditions.filter((name) =>
    runs.every(({ state }, index) => names[index] !== name || state.config.intervention.kind === "none"),
  );
  const sweep: Sweep = {
    name: basename(folder),
    folder,
    scale: null,
    evaluateOn: null,
    baseline: plain.length === 1 ? plain[0]! : null,
    conditions,
    runs: swept,
  };
  return {
    sweep,
    runs: new Map(swept.map(({ id }, index) => [id, runs[index]!])),
    unread,
    differences: Object.fromEntries(names.map((name, index) => [name, differences[index]!])),
  };
}

/** Short where that is enough to tell them apart: the intervention's kind says most. */
function conditionNames(runs: readonly RunFacts[], differences: readonly (readonly string[])[]): string[] {
  const whole = differences.map((own) => own.join(" "));
  const short = runs.map(({ state: { config } }, index) => {
    const { intervention } = config;
    if (intervention.kind === "none") return "standard";
    const told = differences[index]!.filter((one) => /^intervention\.(?:k|signal|tau|epsilon|kind)=/.test(one));
    const words = told.map((one) => one.replace(/^intervention\.(?:kind=)?/, ""));
    return words.length === 0
      ? intervention.kind
      : words.filter((one) => one !== intervention.kind || words.length === 1).join(" ");
  });
  const isEnough = whole.every((own, index) =>
    whole.every((other, at) => (own === other) === (short[index] === short[at])),
  );
  if (isEnough) return short;
  return whole.map((own) => (own === "" ? "all" : own));
}

function sweptRun(run: RunFacts, id: string, condition: string): SweptRun {
  const { state, results, versions } = run;
  return {
    id,
    condition,
    seed: state.config.seed,
    axes: {},
    folder: run.folder,
    standing: standingOf(run),
    takenFrom: null,
    results: state.end === null ? null : results,
    manifest: { ...composeManifest(state, versions.thawline ?? ""), host: run.attempts.at(-1)?.host ?? "" },
    failure: failureOf(run),
  };
}

export function standingOf({ status }: Pick<RunFacts, "status">): RunStanding {
  if (status === "finished" || status === "failed" || status === "running") return status;
  return "interrupted";
}

export function failureOf({ state: { end } }: RunFacts): string | null {
  return end?.outcome === "failed" ? end.message : null;
}

/** Two folders of one name get a number. */
function uniqueNames(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}
