import type { Body } from "../protocol/messages.js";
import type { Decision } from "./commands.js";
import { atBoundary, stopping, type AtBoundary, type Training } from "./attempt/attempt.js";
import { endAttempt } from "./attempt/end-attempt.js";
import { dueOrders } from "./due-orders.js";
import { awaitsFreezing, composeGrant, grantFrom } from "./grant.js";
import { metricsOfBlocks, splitKey, strangeBlocks } from "./block-series.js";
import { isMeasured } from "./measuring.js";
import { dropIdentity } from "./bit-identity.js";
import { decideInterval } from "./intervention/interval.js";
import { judgeBoundary as judgeByRule } from "./intervention/online-interval.js";
import { onlineRule } from "./intervention/online-rule.js";
import { keepBudget } from "./probe-budget.js";
import { timeBoundary } from "./timing.js";
import { measuredBy } from "./measured.js";
import { carryOutRequests } from "./operator/requests.js";
import { describeMetricValue, isFinite, sameMetricValue, signalKey } from "./detector/signal.js";
import { isRecorded } from "../metrics.js";
import { withParts, withProgress, withSignal } from "./parts.js";
import { pointSeries, withPoint } from "./point-series.js";
import { isComparable, missSignal, recordedMetrics } from "./recorded.js";
import type { Model, Moved, SeriesPoint, SpentSeconds, State } from "./state.js";
import { andThen, stay, withCommands, type Transition } from "./transition.js";

/** The worker stands before `body.update`: records what it measured, decides, and lets it go on or stop. */
export function reachBoundary(state: State, attempt: Training, body: Body<"boundary">): Transition {
  const misstep =
    lockstepError(attempt, body) ??
    brokenOrder(state, attempt, body) ??
    strangeDistances(state, body) ??
    strangeBlocks(state.model, body.metrics);
  if (misstep !== null) return endAttempt(state, attempt, misstep);
  // A worker that was asked and not cut short has measured what it can, be it nothing.
  const asked = attempt.grant.probe.length > 0 && body.update === attempt.grant.until;
  const measured = (asked && !body.recalled) || body.metrics.length > 0;
  const measuredAt = measured ? body.update : attempt.measuredAt;
  const arrived = withParts(state, {
    attempt: atBoundary(attempt, { update: body.update, measuredAt, recalled: body.recalled }),
    progress: withProgress(state.progress, {
      frontier: Math.max(state.progress.frontier, body.update),
      seconds: addSeconds(state.progress.seconds, body.seconds),
      moved: movedBy(state, body),
    }),
    signal: withSignal(state.signal, {
      timing: timeBoundary(state.signal.timing, attempt.number, body, measured),
    }),
  });
  const metrics = body.recorded === undefined ? body.metrics : [...body.metrics, ...recordedMetrics(body)];
  return andThen(
    andThen(
      andThen(recordMetrics(arrived, body.update, metrics), (next) => keepBudget(next, body.update)),
      (next) => judgeBoundary(next, body.update),
    ),
    (next) => proceed(next),
  );
}

/**
 * Lockstep: a worker stops exactly where its grant ends, or earlier when it was recalled or has recorded something, never
 * later.
 */
function lockstepError(attempt: Training, body: Body<"boundary">): string | null {
  const { grant } = attempt;
  if (grant.until !== null && body.update > grant.until) {
    return `it overran its grant: it stands before update ${body.update}, the grant ended before ${grant.until}`;
  }
  if (body.update < attempt.update) return `it went back from boundary ${attempt.update} to ${body.update}`;
  const hasRecorded = (body.recorded?.length ?? 0) > 0;
  if (!body.recalled && !hasRecorded && body.update !== grant.until) {
    return `it stopped before update ${body.update} without a recall, its grant reached to ${grant.until ?? "the end"}`;
  }
  if (body.recalled && !attempt.recalled) return `it stopped before update ${body.update}, but nobody recalled it`;
  return null;
}

/**
 * Left unseen, orders that the worker skipped would be given again for ever, and a point that it measured without being
 * asked would shift the detector's window.
 */
function brokenOrder(state: State, { grant, applied }: Training, body: Body<"boundary">): string | null {
  if (body.recalled) return null;
  if (grant.orders.length > 0 && !applied) return `it reached boundary ${body.update} without having obeyed its orders`;
  const signals = measuredBy(state.config)?.metrics ?? [];
  const unasked = body.metrics.find(({ key }) => {
    return !grant.probe.some((asked) => signalKey(asked) === key) && signals.some((one) => signalKey(one) === key);
  });
  return unasked === undefined ? null : `it measured ${unasked.key} at boundary ${body.update}, where nobody asked`;
}

/** Distances without a block that they belong to would be shown as another's. */
function strangeDistances({ model }: State, { moved }: Body<"boundary">): string | null {
  if (moved === undefined || model === null || moved.length === model.blocks.length + 1) return null;
  return `it said of ${moved.length} blocks how far they moved, the model has ${model.blocks.length} and a head`;
}

/** During recovery earlier boundaries come again: what the furthest one said stands. */
function movedBy({ progress }: State, { update, moved }: Body<"boundary">): Moved | null {
  if (update < progress.frontier) return progress.moved;
  return moved === undefined ? null : { update, distances: moved };
}

function addSeconds(total: SpentSeconds, more: SpentSeconds): SpentSeconds {
  return {
    train: total.train + more.train,
    probe: total.probe + more.probe,
    wait: total.wait + more.wait,
    evaluate: total.evaluate + more.evaluate,
    checkpoint: total.checkpoint + more.checkpoint,
  };
}

/** New points extend the series; a boundary that is measured again must give the same bits, and the first value stands. */
export function recordMetrics(state: State, update: number, metrics: Body<"boundary">["metrics"]): Transition {
  const series = { ...state.signal.series };
  const decisions: Decision[] = [];
  for (const metric of withBlocks(state.model, metrics)) {
    const points = series[metric.key] ?? pointSeries([]);
    const first = points.get(update) ?? state.signal.dropped[metric.key]?.get(update);
    const isCompared = isComparable(state, metric.key);
    const voided = isCompared ? state.signal.voided[metric.key]?.get(update) : undefined;
    if (first === undefined) {
      series[metric.key] = withPoint(points, {
        update,
        value: metric.value,
        standardError: metric.standard_error,
        changeError: metric.change_standard_error,
        spanError: metric.span_standard_error,
        seconds: metric.seconds,
      });
      if (!isFinite(metric.value) && splitKey(metric.key) === null) {
        const value = describeMetricValue(metric.value);
        decisions.push({ type: "signal/ignored", update, key: metric.key, value });
      }
      if (voided !== undefined && !sameMetricValue(voided.value, metric.value)) {
        decisions.push({ ...differed(metric, voided, update), voided: true });
      }
    } else if (isCompared && !sameMetricValue(first.value, metric.value)) {
      decisions.push(differed(metric, first, update));
    }
  }
  const next = withParts(state, { signal: withSignal(state.signal, { series }) });
  const recorded = { state: next, decisions, commands: [] };
  if (!decisions.some((decision) => decision.type === "signal/differed")) return recorded;
  const why = `a signal measured again at boundary ${update} differed from its first value`;
  return andThen(recorded, (differing) => dropIdentity(differing, [why]));
}

/** What was measured, and after each of it what it is of the blocks. */
function withBlocks(model: Model | null, metrics: Body<"boundary">["metrics"]): Body<"boundary">["metrics"] {
  if (model === null || metrics.every(({ blocks }) => blocks === undefined)) return metrics;
  return metrics.flatMap((metric) => [metric, ...metricsOfBlocks(metric, model)]);
}

function differed(metric: Body<"boundary">["metrics"][number], before: SeriesPoint, update: number) {
  const [first, again] = [describeMetricValue(before.value), describeMetricValue(metric.value)];
  return { type: "signal/differed", update, key: metric.key, first, again } as const;
}

/**
 * Asks the online rule for k, once per boundary: what was judged before a crash is not judged again. `again`: a value has
 * come while the worker stands there.
 */
export function judgeBoundary(state: State, update: number, again = false): Transition {
  const isJudged = update < state.signal.judgedUntil || (update === state.signal.judgedUntil && !again);
  if (state.interval !== null || isJudged || state.model === null) return stay(state);
  const rule = onlineRule(state.config.intervention);
  // What a script records has come whole, whatever a recall has cut short.
  if (rule === null || !(isRecorded(rule.signal) || isMeasured(state, update))) return stay(state);
  const verdict = judgeByRule(state, state.model, rule, update);
  const judged = withParts(state, {
    signal: withSignal(state.signal, {
      judgedUntil: update,
      judgement: verdict.judgement ?? state.signal.judgement,
      prefix: verdict.prefix,
    }),
  });
  const signal = signalKey(rule.signal);
  const missed = missSignal(state, judged, update);
  const said: Decision[] =
    verdict.judgement === null ? [] : [{ type: "signal/judged", update, signal, judgement: verdict.judgement }];
  const after = { state: judged, decisions: [...missed, ...said], commands: [] };
  if (verdict.interval === null) return after;
  return andThen(after, (next) => decideInterval(next, verdict.interval!));
}

/** At a boundary with everything known: carry out what the operator asked for, then stop, stay or go on. */
export function proceed(state: State): Transition {
  return andThen(carryOutRequests(state), (next) => {
    const { attempt, model } = next;
    if (attempt === null || model === null || attempt.stage !== "waiting") return stay(next);
    const { update } = attempt;
    if (next.operator.interrupted !== null) return stopWorker(next, attempt, model, next.operator.interrupted);
    const orders = dueOrders(next, model, update);
    if (next.operator.paused && orders.length === 0) return stay(next);
    // A probe that a recall cut short is taken up again: asking must not change what is decided.
    if (!isMeasured(next, update) || awaitsFreezing(next, model, update)) {
      return grantFrom(next, attempt, attempt, composeGrant(next, model, update, orders, true));
    }
    const atEnd = model.numUpdates !== null && update === model.numUpdates + 1;
    if (atEnd && orders.length === 0) return stopWorker(next, attempt, model, "finished");
    const stays = atEnd || next.operator.paused || orders.includes("validate");
    return grantFrom(next, attempt, attempt, composeGrant(next, model, update, orders, stays));
  });
}

function stopWorker(state: State, attempt: AtBoundary, model: Model, reason: Body<"stop">["reason"]): Transition {
  const saved = state.weights.checkpoints.some((checkpoint) => checkpoint.step === attempt.update - 1);
  const checkpoint = reason !== "finished" && model.canCheckpoint && !saved && attempt.update > 1;
  return withCommands(stay(withParts(state, { attempt: stopping(attempt) })), {
    type: "worker/stop",
    attempt: attempt.number,
    body: { reason, checkpoint },
  });
}
