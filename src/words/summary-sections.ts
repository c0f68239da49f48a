import type { RunConfig } from "../config/attached.js";
import { isForeign, type Scores } from "../reading/language-scores.js";
import type { Results } from "../reading/results.js";
import type { State } from "../core/state.js";
import {
  formatAccuracy,
  formatCost,
  formatCount,
  formatInteger,
  formatMetric,
  formatMoved,
  formatNumber,
  formatShare,
} from "./format.js";
import { describeOod } from "./corruption-scores.js";
import { describeChoice, describeDropped } from "./budget.js";
import { detectorRule } from "../core/measured.js";
import { isRecorded } from "../metrics.js";
import { singleLine } from "../printable.js";
import { interventionWords } from "./interventions.js";
import { describeConfig, describeOrigin, describeSource, isOfText, signalName } from "./names.js";
import { describeRecorded } from "./plateau.js";
import { describeSignals } from "./signal-options.js";

/** What of a state a summary tells beside the results. */
export type SummarizedState = Pick<State, "config" | "weights" | "signal">;

/** What a run came to: a label, and the sentences under it; none where there is nothing to say. Lines are not wrapped. */
export function summarySections(results: Results, state: SummarizedState): [label: string, sentences: string[]][] {
  const { config } = state;
  return [
    ["why", results.message === null ? [] : [singleLine(results.message)]],
    ["made by", [describeConfig(config)]],
    ["k", describeInterval(results, config)],
    ["signals", Object.keys(state.signal.series).length > 0 ? describeSignals(config, state.signal.grid?.every) : []],
    ["budget", describeBudget(results, state)],
    ["recorded", describeRecordings(results)],
    ["moved", describeMoved(results)],
    ["in-dist", describeInDistribution(results, config)],
    ["ood", describeOod(results)],
    ["x-ling", describeLanguages(results)],
    ["best", describeBest(results)],
    ["time", describeTime(results)],
    ["identity", describeIdentity(results)],
  ];
}

function describeInterval(results: Results, config: RunConfig): string[] {
  const { k, outcome, recorded, left_frozen: leftFrozen } = results;
  if (k === null) return [interventionWords({ config }).withoutK, ...describeMissed(config, recorded)];
  const isHeard = k.signal !== null && isRecorded(k.signal);
  const points = isHeard ? "of what was recorded" : `a point every ${k.every ?? "?"} updates`;
  const rule = `tau ${k.tau ?? "?"}, epsilon ${k.epsilon ?? "?"}, ${points}`;
  const why =
    k.source === "online" && k.signal !== null
      ? `${signalName(k.signal)} ${isHeard ? "reached a plateau" : "stabilized"} (${rule})`
      : k.source === "cap"
        ? `${describeCap(k.signal, recorded)} (${rule})`
        : describeSource(k.source);
  const hindsight = isHeard ? "in hindsight nothing was gained from" : "offline, Algorithm 2 on the same series gives";
  const offline = k.k_offline === null ? [] : [`${hindsight} ${k.k_offline}`];
  const counted = k.start === 1 ? [] : [`counted from update ${k.start}, where the intervention started`];
  const frozen =
    leftFrozen.length === 0 || outcome !== "finished"
      ? []
      : [`frozen to the end: ${leftFrozen.map(singleLine).join(", ")}`];
  return [`${k.value}: ${why}`, ...counted, ...offline, ...frozen, ...describeWarmup(results)];
}

function describeWarmup({ release_warmup: warmup }: Results): string[] {
  if (warmup === null) return [];
  const { updates, unfinished } = warmup;
  const cut = unfinished.length === 0 ? "" : `, still rising at the end: ${unfinished.map(singleLine).join(", ")}`;
  return [`learning rates of released blocks rose over ${updates} updates${cut}`];
}

/** What was chosen, and what it came to; that it never was, where a run ended before. */
function describeBudget(results: Results, { signal: { grid } }: SummarizedState): string[] {
  const { budget, probe_seconds: probe, train_seconds: train } = results;
  if (budget === null) return [];
  if (grid === null)
    return [`${formatShare(budget.share)}: not applied, the run ended before three measurements were timed`];
  const adopted = `every = ${grid.every}, from the run that this one goes on from`;
  const chosen = grid.choice === null ? adopted : describeChoice(grid.choice);
  const came = train > 0 ? [`${formatShare(probe / train)} in all, the first measurement included`] : [];
  const left = describeDropped(budget.dropped_updates);
  return [chosen, ...came, ...(left === "" ? [] : [left])];
}

function describeCap(signal: string | null, recorded: Results["recorded"]): string {
  if (signal === null || !isRecorded(signal)) return describeSource("cap");
  const name = signalName(signal);
  const isHeard = Object.hasOwn(recorded, name);
  const why = isHeard ? "had not reached a plateau" : `was never recorded, ${describeRecorded(Object.keys(recorded))}`;
  return `k_max reached: ${name} ${why}`;
}

/** What was to decide k and never came. */
function describeMissed(config: RunConfig, recorded: Results["recorded"]): string[] {
  const { signal } = detectorRule(config);
  if (!isRecorded(signal) || Object.hasOwn(recorded, signalName(signal))) return [];
  return [`${signalName(signal)} was never recorded: ${describeRecorded(Object.keys(recorded))}`];
}

/** What the script recorded, a sentence for each name; how many there were and their range. */
function describeRecordings({ recorded }: Results): string[] {
  const entries = Object.entries(recorded);
  const shown = entries.slice(0, RECORDED_SHOWN).map(([name, { points, last, least, most }]) => {
    const range = least === null || most === null ? "" : `, from ${formatNumber(least)} to ${formatNumber(most)}`;
    const times = points === 1 ? "" : `; ${formatCount(points, "value")}${range}`;
    return `${name} ${formatMetric(last.value)} before update ${last.update}${times}`;
  });
  const more = entries.length - shown.length;
  return more === 0 ? shown : [...shown, `and ${formatCount(more, "name")} more, in results.json`];
}

const RECORDED_SHOWN = 6;

/** Relative to the weights that the run began with, in the order of the model. */
function describeMoved({ moved }: Results): string[] {
  const known = Object.entries(moved?.blocks ?? {}).flatMap(([name, distance]) =>
    distance === null ? [] : [`${singleLine(name)} ${formatMoved(distance).slice("moved ".length)}`],
  );
  return known.length === 0 ? [] : [known.join(", ")];
}

function describeInDistribution({ in_dist: score, images_from_jpeg: fromJpeg }: Results, config: RunConfig): string[] {
  if (score === null) return [];
  const { num_examples: numExamples, ...scores } = score;
  const of = formatInteger(numExamples);
  if (isOfText(config)) return [`${describeScores(scores)} of ${formatCount(numExamples, "English example")}`];
  const accuracy = scores["accuracy"];
  return accuracy === undefined
    ? []
    : [
        `${formatAccuracy(accuracy)} of ${of} test images right${describeOrigin({ regenerated: false, fromJpeg }, ", ")}`,
      ];
}

const SCORERS = { squad: "SQuAD's scorer", mlqa: "MLQA's scorer" } as const;

/** A test set a line, then its languages, best first: by the score that comes first. */
function describeLanguages({ scores }: Results): string[] {
  return Object.entries(scores ?? {}).flatMap(
    ([testSet, { per_language: perLanguage, cross_lingual: mean, scorer }]) => {
      const languages = Object.entries(perLanguage).map(([language, { num_examples: _, ...own }]) => {
        return [language, Object.values(own)[0] ?? null] as const;
      });
      const ranked = languages.sort(([, a], [, b]) => (b ?? -1) - (a ?? -1));
      const shown = ranked.map(([language, score]) => `${language} ${score === null ? "?" : (score * 100).toFixed(2)}`);
      const numForeign = languages.filter(([language]) => isForeign(language)).length;
      const average =
        mean === null ? "English only" : `${describeScores(mean)}, mean of ${formatCount(numForeign, "language")}`;
      const rules = scorer === null ? "" : ` (${SCORERS[scorer]})`;
      return [`${singleLine(testSet)}: ${average}${rules}`, shown.join(", ")];
    },
  );
}

/** Which weights these scores are of, where they are not those of the last update. */
function describeBest({ best }: Results): string[] {
  if (best === null) return [];
  return [`step ${best.step}, by its ${describeScores(best.development)} on the development set`];
}

function describeScores(scores: Scores): string {
  const shown = Object.entries(scores).map(([name, score]) => `${singleLine(name)} ${formatAccuracy(score)}`);
  return shown.join(", ");
}

function describeTime(results: Results): string[] {
  const share = (seconds: number): string =>
    results.train_seconds > 0 ? ` (${formatShare(seconds / results.train_seconds)} of training)` : "";
  const { train_seconds: train, probe_seconds: probe, controller_wait_seconds: wait } = results;
  const attempts = results.attempts > 1 ? [`${results.attempts} attempts`] : [];
  return [
    `training ${formatCost(train)}, evaluation ${formatCost(results.evaluate_seconds)}, checkpoints ${formatCost(results.checkpoint_seconds)}`,
    `measuring ${formatCost(probe)}${share(probe)}, controller wait ${formatCost(wait)}`,
    ...attempts,
  ];
}

function describeIdentity({
  bit_identical: identical,
  weights_sha256: sha256,
  weights_unhashed: unhashed,
}: Results): string[] {
  const weights = sha256 === null ? [] : [`weights ${sha256.slice(0, 16)}...`];
  if (unhashed !== null) weights.push(`weights without SHA-256: ${singleLine(unhashed)}`);
  const dropped = identical.dropped_because.map((why) => `bit-identity is not promised: ${singleLine(why)}`);
  return [...weights, ...dropped];
}
