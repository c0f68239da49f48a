import type { Decision } from "../core/commands.js";
import { recordedNames } from "../core/detector/signal.js";
import { isPlateau, type RuleJudgement } from "../core/detector/series-rule.js";
import { CALM_CHANGES } from "../core/detector/stabilization.js";
import { detectorRule } from "../core/measured.js";
import type { State } from "../core/state.js";
import { describeChoice, describeDropped } from "./budget.js";
import { formatCount, formatNumber } from "./format.js";
import { isRecorded } from "../metrics.js";
import { describeSource, signalName } from "./names.js";
import { describeRecorded, plateauEvidence } from "./plateau.js";

/** What a sentence is about; also the word to grep for in the plain lines. */
export type SentenceKind =
  | "run"
  | "worker"
  | "signal"
  | "decision"
  | "progress"
  | "evaluation"
  | "checkpoint"
  | "operator"
  | "warning"
  | "error";

/** One thing that a reader of the run wants to know, on one line. */
export interface Sentence {
  readonly kind: SentenceKind;
  /** The update before which it happened; null outside training. */
  readonly update: number | null;
  readonly text: string;
}

/** A decision in words, with the numbers behind it. Judgements are told with the measurement they belong to. */
export function describeDecision(decision: Decision, state: State): Sentence[] {
  const say = (kind: SentenceKind, update: number | null, text: string): Sentence[] => [{ kind, update, text }];
  switch (decision.type) {
    case "signal/judged":
      return [];
    case "signal/unheard": {
      const { update, signal, recorded } = decision;
      const name = signalName(signal);
      const fix =
        state.config.script === undefined
          ? "set `evaluate.every` lower, or `intervention.k_max` higher"
          : `call run.record("${name}", value) in the script, or name what it records in \`intervention.signal\``;
      return say(
        "warning",
        update,
        `${name} is to decide k and was never recorded, ${describeRecorded(recorded)}: ${fix}`,
      );
    }
    case "signal/ignored":
      return say("warning", decision.update, `${signalName(decision.key)} is ${decision.value}: the point is left out`);
    case "signal/differed": {
      const { update, key, first, again } = decision;
      const stands = decision.voided ? "the new value" : "the first";
      return say(
        "warning",
        update,
        `${signalName(key)} measured again gave ${again} instead of ${first}: ${stands} stands`,
      );
    }
    case "interval/decided":
      return say("decision", decision.update === 0 ? null : decision.update, describeInterval(decision, state));
    case "every/chosen": {
      const { update, share, budget, dropped } = decision;
      const left = describeDropped(dropped);
      const text = `budget ${describeChoice(decision)}${left === "" ? "" : `; ${left}`}`;
      return say(share > budget ? "warning" : "decision", update, text);
    }
    case "interval/incomplete":
      return say("warning", null, `k = ${decision.k} is too long for ${decision.frozen.join(", ")}: frozen to the end`);
    case "block/frozen":
      return say("decision", decision.update, `froze ${decision.blocks.join(", ")} before update ${decision.update}`);
    case "block/unfrozen":
      return say("decision", decision.update, describeRelease(decision, state));
    case "learningRate/changed": {
      const factor = formatNumber(decision.factor);
      return say("decision", decision.update, `learning rate times ${factor} from update ${decision.update} on`);
    }
    case "operator/accepted":
      return [];
    case "operator/applied":
      return say("operator", decision.update, `done before update ${decision.update}`);
    case "operator/refused":
      return say("operator", null, `refused: ${decision.why}`);
    case "history/voided": {
      const { step, points, k, changes } = decision;
      const what = [
        ...(points > 0 ? [formatCount(points, "point")] : []),
        ...(k === null ? [] : [`k = ${k}`]),
        ...(changes > 0 ? [formatCount(changes, "operator change")] : []),
      ].join(", ");
      return say("warning", null, `the script went back to step ${step}: void and decided anew: ${what}`);
    }
    case "history/adopted": {
      const { run, step, points, k } = decision;
      const known = k === null ? "" : ` and k = ${k}`;
      return say("run", null, `goes on from step ${step} of ${run}, with ${formatCount(points, "point")}${known}`);
    }
    case "attempt/ended": {
      const next = decision.restart ? "starting again" : "giving up";
      return say("warning", null, `attempt ${decision.attempt}: ${decision.why}; ${next}`);
    }
    case "identity/dropped":
      return say("warning", null, `bit-identity is no longer promised: ${decision.why}`);
  }
}

function describeRelease({ update, blocks }: Extract<Decision, { type: "block/unfrozen" }>, state: State): string {
  const { intervention } = state.config;
  const warmup = "release_warmup" in intervention ? (intervention.release_warmup ?? null) : null;
  const ramp = warmup === null ? "" : `, learning rate times 1/${warmup} there, rising over ${warmup} updates`;
  return `unfroze ${blocks.join(", ")} before update ${update}${ramp}`;
}

type Decided = Extract<Decision, { type: "interval/decided" }>;

function describeInterval(decision: Decided, state: State): string {
  const { k, source, signal, judgement } = decision;
  const head = `k = ${k}: `;
  if (source === "online" && judgement !== null && signal !== null) {
    if (isPlateau(judgement))
      return `${head}${signalName(signal)} has reached a plateau (${describeEvidence(judgement, state)})`;
    return `${head}${signalName(signal)} has been stable for ${CALM_CHANGES} points (${describeEvidence(judgement, state)})`;
  }
  if (source === "cap" && judgement !== null && signal !== null) {
    return `${head}k_max, because ${signalName(signal)} has not stabilized (${describeEvidence(judgement, state)})`;
  }
  if (source === "cap" && signal !== null && isRecorded(signal)) {
    const names = recordedNames(state.signal.series);
    const why = names.includes(signalName(signal))
      ? "had no finite value"
      : `was not recorded: ${describeRecorded(names)}`;
    return `${head}k_max, because ${signalName(signal)} ${why}`;
  }
  return `${head}${describeSource(source)}`;
}

function describeEvidence(judgement: RuleJudgement, state: State): string {
  const { tau, epsilon } = detectorRule(state.config);
  if (isPlateau(judgement)) return plateauEvidence(judgement, tau, epsilon);
  const { change, noise, calm } = judgement;
  if (change === null) return "too few points";
  const comparison = `change ${formatNumber(change, 2)} ${change <= epsilon ? "<=" : ">"} ${epsilon} of its range`;
  const uncertainty = noise === null ? "noise unknown" : `noise ${formatNumber(noise, 2)}`;
  return calm >= CALM_CHANGES
    ? `${comparison}, ${uncertainty}`
    : `${comparison}, calm ${calm} of ${CALM_CHANGES}, ${uncertainty}`;
}
