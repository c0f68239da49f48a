import type { Body } from "../protocol/messages.js";
import type { Decision } from "./commands.js";
import { endAttempt } from "./endings.js";
import { awaitsFreezing, composeGrant, dueOrders, grantFrom, isMeasured } from "./grant.js";
import { dropIdentity } from "./identity.js";
import { decideInterval } from "./interval.js";
import { policyOf } from "./policies/choose.js";
import { carryOutRequests } from "./requests.js";
import { describeMetricValue, isFinite, sameMetricValue, signalKey } from "./signal.js";
import type { Attempt, Model, SeriesPoint, State } from "./state.js";
import { andThen, stay, withCommands, withDecisions, type Transition } from "./transition.js";

/** The worker stands before `body.update`: records what it measured, decides, and lets it go on or stop. */
export function reachBoundary(state: State, attempt: Attempt, body: Body<"boundary">): Transition {
  const misstep = lockstepError(attempt, body) ?? brokenOrder(state, attempt, body);
  if (misstep !== null) return endAttempt(state, attempt, misstep);
  // A worker that was asked and not cut short has measured what it can, be it nothing.
  const asked = attempt.grant !== null && attempt.grant.probe.length > 0;
  const measured = (asked && !body.recalled) || body.metrics.length > 0;
  const measuredAt = measured ? body.update : attempt.measuredAt;
  const at = { update: body.update, grant: null, recalled: false, measuredAt };
  const waiting: Attempt = { ...attempt, ...at, stage: "waiting" };
  const arrived: State = {
    ...state,
    attempt: waiting,
    frontier: state.frontier > body.update ? state.frontier : body.update,
    seconds: addSeconds(state.seconds, body.seconds),
  };
  return andThen(
    andThen(recordMetrics(arrived, body), (next) => judgeBoundary(next, body.update)),
    (next) => proceed(next),
  );
}

/** Lockstep: a worker stops exactly where its grant ends, or earlier when it was recalled, never later. */
function lockstepError(attempt: Attempt, body: Body<"boundary">): string | null {
  const grant = attempt.grant;
  if (attempt.stage !== "training" || grant === null) return `it reported boundary ${body.update} without a grant`;
  if (grant.until !== null && body.update > grant.until) {
    return `it overran its grant: it stands before update ${body.update}, the grant ended before ${grant.until}`;
  }
  if (body.update < attempt.update) return `it went back from boundary ${attempt.update} to ${body.update}`;
  if (!body.recalled && body.update !== grant.until) {
    return `it stopped before update ${body.update} without a recall, its grant reached to ${grant.until ?? "the end"}`;
  }
  if (body.recalled && !attempt.recalled) return `it stopped before update ${body.update}, but nobody recalled it`;
  return null;
}

/** Left unseen, orders that were skipped would be given again for ever, and a point in between would shift the window. */
function brokenOrder(state: State, { grant, applied }: Attempt, body: Body<"boundary">): string | null {
  if (grant === null || body.recalled) return null;
  if (grant.orders.length > 0 && !applied) return `it reached boundary ${body.update} without having obeyed its orders`;
  const asked = new Set(grant.probe.map(signalKey));
  const signals = state.config.probe.metrics.map(signalKey).filter((key) => !asked.has(key));
  const unasked = body.metrics.find((metric) => signals.includes(metric.key));
  return unasked === undefined ? null : `it measured ${unasked.key} at boundary ${body.update}, where nobody asked`;
}

function addSeconds(total: State["seconds"], more: State["seconds"]): State["seconds"] {
  return {
    train: total.train + more.train,
    probe: total.probe + more.probe,
    wait: total.wait + more.wait,
    evaluate: total.evaluate + more.evaluate,
    checkpoint: total.checkpoint + more.checkpoint,
  };
}

/** New points extend the series; a boundary that is measured again must give the same bits, and the first value stands. */
function recordMetrics(state: State, body: Body<"boundary">): Transition {
  const series = { ...state.series };
  const decisions: Decision[] = [];
  for (const metric of body.metrics) {
    const points = series[metric.key] ?? [];
    const first = points.find((point) => point.update === body.update);
    const voided = state.voided[metric.key]?.find((point) => point.update === body.update);
    if (first === undefined) {
      const point: SeriesPoint = {
        update: body.update,
        value: metric.value,
        standardError: metric.standard_error,
        changeError: metric.change_standard_error,
        spanError: metric.span_standard_error,
        seconds: metric.seconds,
      };
      series[metric.key] = [...points, point].sort((a, b) => a.update - b.update);
      if (!isFinite(metric.value)) {
        const value = describeMetricValue(metric.value);
        decisions.push({ type: "signal/ignored", update: body.update, key: metric.key, value });
      }
      if (voided !== undefined && !sameMetricValue(voided.value, metric.value)) {
        decisions.push({ ...differed(metric, voided, body.update), voided: true });
      }
    } else if (!sameMetricValue(first.value, metric.value)) {
      decisions.push(differed(metric, first, body.update));
    }
  }
  const differs = decisions.some((decision) => decision.type === "signal/differed");
  const why = `a signal measured again at boundary ${body.update} differed from its first value`;
  const recorded = withDecisions(stay({ ...state, series }), ...decisions);
  return andThen(recorded, (next) => dropIdentity(next, differs ? [why] : []));
}

function differed(metric: Body<"boundary">["metrics"][number], before: SeriesPoint, update: number) {
  const [first, again] = [describeMetricValue(before.value), describeMetricValue(metric.value)];
  return { type: "signal/differed", update, key: metric.key, first, again } as const;
}

/** Asks the policy for k, once per boundary: what was judged before a crash is not judged again. */
function judgeBoundary(state: State, update: number): Transition {
  if (state.interval !== null || update <= state.judgedUntil || state.model === null) return stay(state);
  if (!isMeasured(state, update)) return stay(state);
  const verdict = policyOf(state.config.intervention).judgeBoundary(state, state.model, update);
  const judged: State = { ...state, judgedUntil: update, judgement: verdict.judgement ?? state.judgement };
  const signal = signalKey(state.config.intervention.signal);
  const said: Decision[] =
    verdict.judgement === null ? [] : [{ type: "signal/judged", update, signal, judgement: verdict.judgement }];
  if (verdict.interval === null) return withDecisions(stay(judged), ...said);
  return andThen(withDecisions(stay(judged), ...said), (next) => decideInterval(next, verdict.interval!));
}

/** At a boundary with everything known: carry out what the operator asked for, then stop, stay or go on. */
export function proceed(state: State): Transition {
  return andThen(carryOutRequests(state), (next) => {
    const { attempt, model } = next;
    if (attempt === null || model === null || attempt.stage !== "waiting") return stay(next);
    const { update } = attempt;
    if (next.interrupted !== null) return stopWorker(next, attempt, model, next.interrupted);
    const orders = dueOrders(next, model, update);
    if (next.paused && orders.length === 0) return stay(next);
    // A probe that a recall cut short is taken up again: asking must not change what is decided.
    if (!isMeasured(next, update) || awaitsFreezing(next, model, update)) {
      return grantFrom(next, attempt, composeGrant(next, model, update, orders, true));
    }
    const atEnd = model.numUpdates !== null && update === model.numUpdates + 1;
    if (atEnd && orders.length === 0) return stopWorker(next, attempt, model, "finished");
    const stays = atEnd || next.paused || orders.includes("validate");
    return grantFrom(next, attempt, composeGrant(next, model, update, orders, stays));
  });
}

function stopWorker(state: State, attempt: Attempt, model: Model, reason: Body<"stop">["reason"]): Transition {
  const saved = state.checkpoints.some((checkpoint) => checkpoint.step === attempt.update - 1);
  const checkpoint = reason !== "finished" && model.canCheckpoint && !saved && attempt.update > 1;
  const stopping: State = { ...state, attempt: { ...attempt, stage: "stopping" } };
  return withCommands(stay(stopping), {
    type: "worker/stop",
    attempt: attempt.number,
    body: { reason, checkpoint },
  });
}
