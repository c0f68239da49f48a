import { basename } from "node:path";
import { composeManifest } from "../../runs/manifest.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import type { RunStanding } from "../../reading/run-standing.js";
import type { RunFacts } from "../facts/run-facts.js";
import type { UnreadRun } from "../run-cache.js";
import { signalName } from "../../words/names.js";
import { differencesOf } from "./differences.js";
import type { SweepFacts } from "./sweep-facts.js";

/**
 * Runs that nobody planned together, as a sweep: those whose configurations differ in their seed only are a condition,
 * which is named by what it has of its own.
 */
export function looseRuns(runs: readonly RunFacts[], unread: readonly UnreadRun[], folder: string): SweepFacts {
  const differences = differencesOf(runs.map(({ state }) => state.config));
  const names = conditionNames(runs, differences);
  const ids = uniqueNames(
    runs.map((run) => basename(run.folder)),
    (name, count) => `${name} (${count})`,
  );
  const swept = runs.map((run, index): SweptRun => sweptRun(run, ids[index]!, names[index]!));
  const conditions = [...new Set(names)];
  const plain = conditions.filter((name) =>
    runs.every(({ state }, index) => names[index] !== name || state.config.intervention.kind === "none"),
  );
  const sweep: Sweep = {
    name: basename(folder),
    title: null,
    folder,
    scale: null,
    evaluateOn: null,
    baseline: plain.length === 1 ? plain[0]! : null,
    conditions,
    runs: swept,
  };
  return {
    sweep,
    isPlanned: false,
    runs: new Map(swept.map(({ id }, index) => [id, runs[index]!])),
    configs: new Map(swept.map(({ id }, index) => [id, runs[index]!.state.config])),
    unread,
    differences: Object.fromEntries(names.map((name, index) => [name, differences[index]!])),
  };
}

/** As short as tells them apart: what the intervention is, then how it decides, then everything that differs. */
function conditionNames(runs: readonly RunFacts[], differences: readonly (readonly string[])[]): string[] {
  const whole = differences.map((own) => (own.length === 0 ? "all" : own.join(" ")));
  const named = [1, 2, 3].map((detail) => runs.map(({ state }) => interventionName(state.config, detail)));
  const isEnough = (names: readonly string[]): boolean =>
    whole.every((own, index) => whole.every((other, at) => (own === other) === (names[index] === names[at])));
  return named.find(isEnough) ?? whole;
}

function interventionName({ intervention }: RunFacts["state"]["config"], detail: number): string {
  if (intervention.kind === "none") return "standard";
  const kind = detail > 2 ? `${intervention.kind} ` : "";
  if (intervention.k !== "online") return `${kind}k=${intervention.k}`;
  const { signal, tau, epsilon } = intervention;
  const rule = detail > 2 ? `, tau ${tau}, epsilon ${epsilon}` : "";
  return `${kind}online${detail > 1 ? ` by ${signalName(signal)}` : ""}${rule}`;
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

/** Two of one name get a number. */
export function uniqueNames(names: readonly string[], numbered: (name: string, count: number) => string): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : numbered(name, count);
  });
}
