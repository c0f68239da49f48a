import { standingOf, type AttemptStage } from "../core/attempt/attempt.js";
import { selectDetector, type DetectorView } from "../reading/detector-view.js";
import { selectPlateau } from "../reading/plateau-view.js";
import { selectEvaluation } from "../reading/evaluation-view.js";
import { messageOf } from "../reading/results.js";
import { selectComingStart, selectNextRelease, selectPhase, selectSignal, selectStep } from "../reading/selectors.js";
import { detectorRule } from "../core/measured.js";
import type { State } from "../core/state.js";
import { formatAccuracy, formatCount, formatNumber } from "./format.js";
import { singleLine } from "../printable.js";
import { interventionWords } from "./interventions.js";
import { describeOrigin, describeSource, PHASE_BADGES, signalName } from "./names.js";
import { isRecorded } from "../metrics.js";
import { whyNoPlateau } from "./plateau.js";
import type { Role } from "./role.js";

/** The answer to "what is it doing, and why?" in one line. */
export interface Headline {
  readonly badge: string;
  readonly role: Role;
  readonly text: string;
}

export function headlineOf(state: State): Headline {
  const phase = selectPhase(state);
  const badge = PHASE_BADGES[phase];
  switch (phase) {
    case "starting":
    case "restarting":
      return { badge, role: "waiting", text: describeStart(state) };
    case "searching":
      return { badge, role: "waiting", text: whyItWaits(state) };
    case "unfreezing":
    case "training":
      return { badge, role: "live", text: describeSchedule(state) };
    case "evaluating":
      return {
        badge,
        role: "live",
        text: singleLine(state.progress.latest?.detail ?? "") || "scores come in one by one",
      };
    case "paused":
      return { badge, role: "waiting", text: `before update ${standingOf(state.attempt)?.update ?? 0}; \`p\` goes on` };
    case "stopping":
      return { badge, role: "waiting", text: `the worker stops at about update ${selectStep(state) + 1}` };
    case "finished":
      return { badge, role: "good", text: describeOutcome(state) };
    case "stopped":
      return { badge, role: "warning", text: endMessage(state) };
    case "failed":
      return { badge, role: "failure", text: endMessage(state) };
  }
}

function describeStart({ attempt }: State): string {
  if (attempt === null) return "waiting for a controller";
  const from = attempt.resumeFrom === null ? "" : `, from step ${attempt.resumeFrom.step}`;
  return `${describeStage(attempt.stage)}${attempt.number > 1 ? ` (attempt ${attempt.number}${from})` : ""}`;
}

/** What is being waited for before training begins; after that, for the worker to be gone. */
function describeStage(stage: AttemptStage): string {
  switch (stage) {
    case "launching":
      return "starting the worker";
    case "connecting":
      return "waiting for the worker to connect";
    case "preparing":
      return "the worker loads model and data";
    case "waiting":
    case "training":
    case "stopping":
    case "closed":
      return "the worker is ending";
  }
}

function endMessage({ end }: State): string {
  return end === null || end.outcome === "finished" ? "" : singleLine(end.message);
}

/** Names the first condition that is not met yet: conditions come in the order in which a signal meets them. */
function whyItWaits(state: State): string {
  const { signal } = selectSignal(state);
  const name = signalName(signal);
  const plateau = selectPlateau(state);
  if (plateau !== null) return whyNoPlateau(name, plateau);
  if (isRecorded(signal)) return `${name} has not been recorded yet`;
  const detector = selectDetector(state);
  if (detector === null || detector.calm.change === null) {
    const { tau } = detectorRule(state.config);
    return `${name} has ${detector?.points ?? 0} of the ${tau + 1} points that a first judgement needs`;
  }
  return describeUnmet(name, detector);
}

function describeUnmet(name: string, { transient, moved, calm, noise, epsilon }: DetectorView): string {
  const change = formatNumber(calm.change ?? 0, 2);
  if (!transient.met) return `${name} has not moved by ${formatNumber(transient.least)} of its range at once yet`;
  if (!moved.met) return `${name} varies by ${formatNumber(moved.value, 2)} of its size, too little to judge`;
  if (calm.count === 0) return `${name} changes by ${change} of its range per point, calm is ${epsilon}`;
  if (!calm.met)
    return `${name} is settling: ${calm.count} of ${calm.needed} calm points (change ${change} <= ${epsilon})`;
  const error = noise.value === null ? "unknown" : formatNumber(noise.value, 2);
  return `${name} is calm, but its noise is ${error}; it must be below ${noise.below}`;
}

function describeSchedule(state: State): string {
  const { interval } = state;
  const start = selectComingStart(state);
  if (start !== null) {
    return `everything trains; the intervention starts before update ${start} (${formatCount(start - 1 - selectStep(state), "update")} to go)`;
  }
  const next = selectNextRelease(state);
  const k = interval === null ? "" : `k = ${interval.k}, ${describeSource(interval.source)}; `;
  if (next !== null) {
    const left = Math.max(0, next.update - 1 - selectStep(state));
    return `${k}${singleLine(next.block)} next, before update ${next.update} (${left === 0 ? "now" : `${formatCount(left, "update")} to go`})`;
  }
  return `${k}${interventionWords(state).now(state)}`;
}

function describeOutcome(state: State): string {
  const evaluation = selectEvaluation(state);
  const parts = state.interval === null ? [] : [`k = ${state.interval.k}`];
  for (const { split, value } of evaluation?.inDist ?? []) {
    if (value !== null) parts.push(`${split} ${formatAccuracy(value)}`);
  }
  for (const { testSet, value, numCompared } of evaluation?.means ?? []) {
    const origin = evaluation === null ? "" : describeOrigin(evaluation.origin, ", ");
    const name = testSet === null ? "ood" : `${singleLine(testSet)} X-ling`;
    parts.push(`${name} ${formatAccuracy(value)} (mean of ${numCompared}${origin})`);
  }
  const message = state.end === null ? null : messageOf(state.end);
  return [...(message === null ? [] : [message]), ...parts].join(", ");
}
