/**
 * What a reader of a run needs to know, computed from its state: numbers and names of cases, no sentences. Views,
 * the plain lines and reports draw from here, so that all of them tell the same.
 */
import { stopOrderedBy } from "../core/operator/requests.js";
import { standingOf, type Attempt } from "../core/attempt/attempt.js";
import { startOf, updateAt } from "../core/intervention/counting.js";
import { awaitsInterval, latestInterval } from "../core/intervention/online-interval.js";
import { onlineRule } from "../core/intervention/online-rule.js";
import { detectorRule, measuredBy } from "../core/measured.js";
import { nextPointAfter } from "../core/measuring.js";
import { scheduleOf } from "../core/schedule-of-run.js";
import { blocksLeftFrozen, trainableAt } from "../core/intervention/schedule.js";
import { recordedNameIn, signalKey, signalOf } from "../core/detector/signal.js";
import { pointSeries, type PointSeries } from "../core/point-series.js";
import type { Model, State } from "../core/state.js";
import type { MetricValue } from "../protocol/messages.js";

/** What the run is doing, as one word. `searching`: k is still to be found. */
export type RunPhase =
  | "starting"
  | "restarting"
  | "searching"
  | "unfreezing"
  | "training"
  | "evaluating"
  | "paused"
  | "stopping"
  | "finished"
  | "stopped"
  | "failed";

export function selectPhase(state: State): RunPhase {
  const { attempt, model, end } = state;
  if (end !== null) return end.outcome;
  if (attempt === null || model === null) return "starting";
  if (attempt.stage === "launching" || attempt.stage === "connecting" || attempt.stage === "preparing") {
    return attempt.number === 1 ? "starting" : "restarting";
  }
  const stops = attempt.stage === "stopping" || attempt.stage === "closed";
  if (stopOrderedBy(state) !== null || stops) return "stopping";
  if (isEvaluating(state, attempt)) return "evaluating";
  if (state.operator.paused) return "paused";
  if (selectComingStart(state) !== null) return "training";
  if (awaitsInterval(state)) return "searching";
  return selectNextRelease(state) === null ? "training" : "unfreezing";
}

function isEvaluating({ scores }: State, attempt: Attempt): boolean {
  if (attempt.stage !== "training" || attempt.ended !== null) return false;
  return attempt.grant.orders.includes("evaluate") && !scores.evaluatedAt.has(attempt.update);
}

/** The update in which the intervention will start, as long as the run is before it; null from then on. */
export function selectComingStart(state: State): number | null {
  const start = startOf(state.config.intervention);
  return selectStep(state) + 1 < start ? start : null;
}

/** The update in which k first takes effect; null before k is known. */
export function selectRemoval({ config, interval }: State): number | null {
  return interval === null ? null : updateAt(config.intervention, interval.k);
}

/** Updates completed, as far as anybody knows: progress messages run ahead of boundaries. */
export function selectStep(state: State): number {
  const boundary = standingOf(state.attempt)?.update ?? state.progress.frontier;
  return Math.max(0, boundary - 1, state.progress.latest?.step ?? 0);
}

/** Updates a second while training; null before anything is known. */
export function selectUpdatesPerSecond(state: State): number | null {
  const { latest, seconds, frontier } = state.progress;
  const batchSize = state.config.train?.batch_size;
  if (batchSize !== undefined && latest?.phase === "train" && latest.samples_per_second > 0) {
    return latest.samples_per_second / batchSize;
  }
  return seconds.train > 0 && frontier > 1 ? (frontier - 1) / seconds.train : null;
}

/** Seconds of training still to come at the present speed; evaluation is not in it. Null where the end or the speed is unknown. */
export function selectSecondsLeft(state: State): number | null {
  const rate = selectUpdatesPerSecond(state);
  const numUpdates = state.model?.numUpdates ?? null;
  if (rate === null || rate === 0 || numUpdates === null || state.end !== null) return null;
  return Math.max(0, numUpdates - selectStep(state)) / rate;
}

/** Seconds spent on probes as a share of the seconds spent on training; null before both are known. */
export function selectProbeShare(state: State): number | null {
  const { train, probe } = state.progress.seconds;
  return train > 0 ? probe / train : null;
}

export interface SignalView {
  /** Configuration name, such as `fisher_trace`. */
  readonly signal: string;
  readonly points: PointSeries;
  readonly decidedAt: number | null;
  /** Update 0 of k's count: the one before the intervention starts. */
  readonly origin: number;
  /** k_max, and the update in which it would take effect; null where k is not searched for. */
  readonly latest: { readonly k: number; readonly update: number } | null;
  /** The next boundary at which it is measured, or null. */
  readonly nextPoint: number | null;
}

/** The signal that decides k; in a run that decides nothing, the first one that is measured. */
export function selectSignal(state: State): SignalView {
  const { intervention } = state.config;
  const key = shownKey(state);
  return {
    signal: signalOf(key),
    points: state.signal.series[key] ?? NO_POINTS,
    decidedAt: state.interval === null || state.interval.decidedAt === 0 ? null : state.interval.decidedAt,
    origin: updateAt(intervention, 0),
    latest: onlineRule(intervention) === null ? null : selectLatest(state),
    nextPoint: selectNextPoint(state),
  };
}

/** The points of `selectSignal` alone, which are looked at whenever there are more of them. */
export function selectSignalPoints(state: State): PointSeries {
  return state.signal.series[shownKey(state)] ?? NO_POINTS;
}

const NO_POINTS = pointSeries([]);

function shownKey(state: State): string {
  const decisive = signalKey(detectorRule(state.config).signal);
  const { series } = state.signal;
  const isSearched = series[decisive] === undefined && awaitsInterval(state) && recordedNameIn(decisive) !== null;
  if (series[decisive] !== undefined || isSearched) return decisive;
  return Object.keys(series).find((key) => key.startsWith("probe/") || isHeardOnly(state, key)) ?? decisive;
}

/** Of a run that measures nothing, what its script records is what there is to see. */
function isHeardOnly({ config }: State, key: string): boolean {
  return measuredBy(config) === null && recordedNameIn(key) !== null;
}

function selectLatest(state: State): SignalView["latest"] {
  const k = state.model === null ? null : latestInterval(state, state.model);
  return k === null ? null : { k, update: updateAt(state.config.intervention, k) };
}

/** The next boundary at which signals are measured, or null. */
export function selectNextPoint(state: State): number | null {
  if (state.end !== null || state.model === null) return null;
  const next = nextPointAfter(state, selectStep(state) + 1);
  const end = state.model.numUpdates === null ? Infinity : state.model.numUpdates + 1;
  return next !== null && next <= end ? next : null;
}

export interface BlockView {
  readonly name: string;
  readonly numParams: number;
  readonly head: boolean;
  readonly live: boolean;
  /** The update before which it is unfrozen; 0: trained from the start; null: not known, or never. */
  readonly release: number | null;
  /** Updates that its warm-up has made, of how many; null where it has none, or is through with it. */
  readonly warmup: { readonly made: number; readonly of: number } | null;
  /** ||w - w0|| / ||w0|| at the last boundary; null where that is not known or has no meaning. */
  readonly moved: MetricValue | null;
}

/** The head, then the blocks from the top down. Empty before the model is known. */
export function selectBlocks(state: State): BlockView[] {
  const { model } = state;
  if (model === null) return [];
  const schedule = scheduleOf(state, model);
  const held = standingOf(state.attempt)?.held.trainable ?? trainableAt(schedule, Math.max(1, selectStep(state)));
  const live = new Set(held);
  const initial = new Set(schedule.initial);
  const releases = new Map(schedule.releases.map(({ block, update }) => [block, update]));
  const step = selectStep(state);
  const { releaseWarmup: of } = schedule;
  const warmupFrom = (release: number | undefined): BlockView["warmup"] => {
    const made = release === undefined ? Infinity : Math.max(0, step - release + 1);
    return of === null || made >= of ? null : { made, of };
  };
  return [model.head, ...model.blocks].map(({ name, numParams }, index) => ({
    name,
    numParams,
    head: name === model.head.name,
    live: live.has(name),
    release: initial.has(name) ? 0 : (releases.get(name) ?? null),
    warmup: live.has(name) && !initial.has(name) ? warmupFrom(releases.get(name)) : null,
    moved: state.progress.moved?.distances[index] ?? null,
  }));
}

/** The next unfreezing that is scheduled and lies within the run. */
export function selectNextRelease(state: State): { readonly block: string; readonly update: number } | null {
  const end = state.model?.numUpdates ?? Infinity;
  const coming = selectBlocks(state)
    .flatMap(({ name, live, release }) => (live || release === null ? [] : [{ block: name, update: release }]))
    .filter(({ update }) => update <= end);
  return coming.reduce<(typeof coming)[number] | null>(
    (first, other) => (first === null || other.update < first.update ? other : first),
    null,
  );
}

/** Blocks that stay frozen to the end under the schedule as it stands; empty where k or the end is unknown. */
export function selectLeftFrozen(state: State): string[] {
  const { model, interval } = state;
  if (model === null || model.numUpdates === null || interval === null) return [];
  return blocksLeftFrozen(scheduleOf(state, model), model, model.numUpdates);
}

/** All trainable parameters the model has, head included. */
export function countModelParameters(model: Model): number {
  return [model.head, ...model.blocks].reduce((sum, { numParams }) => sum + numParams, 0);
}
