import type { RunConfig } from "../config/attached.js";
import { latestInterval } from "../core/intervention/online-interval.js";
import { measuredBy } from "../core/measured.js";
import { chooseEvery, largestEvery, type BudgetChoice } from "../core/probe-budget.js";
import type { Model, State } from "../core/state.js";
import { costOf, shareOf, type Cost } from "../core/timing.js";

/** What a run would cost, by a trial of its first updates. */
export interface TrialFacts {
  readonly model: Model;
  /** Updates and measurements that the trial made. */
  readonly updates: number;
  readonly measurements: number;
  readonly cost: Cost;
  /** Of measuring, as a share of the seconds of training, at the configured `every`. */
  readonly every: number;
  readonly share: number;
  /** What `probe.budget` would choose; null where none is set. */
  readonly choice: BudgetChoice | null;
  /** The largest k that may be decided online, on the grid; null where k is not, or the end is unknown. */
  readonly latest: number | null;
}

/**
 * @param config the run's own, of which the trial measured a variant
 * @param trial after its last measurement; null is given back where its seconds say nothing
 */
export function readTrial(config: RunConfig, trial: State): TrialFacts | null {
  const { model, signal, progress } = trial;
  const probe = measuredBy(config);
  const cost = costOf(signal.timing, progress.frontier);
  if (model === null || probe === null || cost === null) return null;
  const state: State = { ...trial, config };
  const { every, budget } = probe;
  const choice = budget == null ? null : chooseEvery(every, budget, cost, largestEvery(state, model));
  return {
    model,
    updates: progress.frontier - 1,
    measurements: signal.timing?.measured ?? 0,
    cost,
    every,
    share: shareOf(cost, every),
    choice,
    latest: latestInterval(state, model),
  };
}

/** The same for programs. */
export function trialNumbers(facts: TrialFacts): Readonly<Record<string, unknown>> {
  const { model, cost, choice } = facts;
  return {
    num_updates: model.numUpdates,
    device: model.device,
    threads: model.threads,
    updates: facts.updates,
    measurements: facts.measurements,
    seconds_per_measurement: cost.secondsPerPoint,
    seconds_per_update: cost.secondsPerUpdate,
    /** How many that is the mean of. */
    mean_of: { measurements: cost.points, updates: cost.updates },
    every: facts.every,
    share: facts.share,
    k_max: facts.latest,
    budget:
      choice === null
        ? null
        : { share: choice.budget, every: choice.every, expected: choice.share, kept: choice.share <= choice.budget },
  };
}
