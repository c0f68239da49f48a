import { isRecorded } from "../metrics.js";
import { canonical, evaluationIdentity, trainingIdentity } from "../core/training-identity.js";
import type { RunConfig } from "../config/attached.js";
import type { PlannedRun } from "./plan.js";

/** The interval of a run that does not look for it; null where there is none, undefined where it is yet to be found. */
export function intervalOf({ intervention }: RunConfig): number | null | undefined {
  if (!("k" in intervention)) return null;
  return intervention.k === "online" ? undefined : intervention.k;
}

/** Whether what `run` is to show can be read off a run that trained the same but measured more. */
function measuresNoMore(run: RunConfig, source: RunConfig): boolean {
  return !("metrics" in run.probe) || canonical(run.probe) === canonical(source.probe);
}

/** A script's own randomness is not ours to promise anything about. */
function isPromised({ script }: RunConfig): boolean {
  return script === undefined;
}

/**
 * Whether `run` trains exactly as `source` did with its interval `k`, and is evaluated the same, so that its results are
 * known. On the same software and processor, which is not asked here.
 */
export function trainsAs(run: PlannedRun, source: PlannedRun, k: number | null): boolean {
  const own = intervalOf(run.portable);
  return (
    own !== undefined &&
    run.id !== source.id &&
    isPromised(run.portable) &&
    trainingIdentity(run.portable, own) === trainingIdentity(source.portable, k) &&
    evaluationIdentity(run.portable) === evaluationIdentity(source.portable) &&
    measuresNoMore(run.portable, source.portable)
  );
}

/** Whether an online run that has not decided may turn out to train as `run` does: decisions fall on boundaries. */
export function mayTrainAs(run: PlannedRun, online: PlannedRun): boolean {
  const k = intervalOf(run.portable);
  if (k === undefined || k === null || intervalOf(online.portable) !== undefined) return false;
  const { intervention, probe } = online.portable;
  if (!("signal" in intervention)) return false;
  const every = "every" in probe && !isRecorded(intervention.signal) && intervention.start === 1 ? probe.every : 1;
  const mayFall = k === 1 || k % every === 0;
  return mayFall && (intervention.k_max === null || k <= intervention.k_max) && trainsAs(run, online, k);
}
