import { styleText } from "node:util";
import type { RunConfig } from "../config/attached.js";
import { isForeign, type Scores } from "../reading/language-scores.js";
import type { Results } from "../reading/results.js";
import type { State } from "../core/state.js";
import {
  formatAccuracy,
  formatCost,
  formatCount,
  formatDuration,
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
import { printable, singleLine } from "../printable.js";
import { interventionWords } from "./interventions.js";
import { describeConfig, describeOrigin, describeSource, isOfText, signalName } from "./names.js";
import { describeRecorded } from "./plateau.js";
import { describeSignals } from "./signal-options.js";

export interface SummaryFacts {
  /** As the person named it, or would. */
  readonly runFolder: string;
  readonly state: Pick<State, "config" | "weights" | "signal">;
  readonly color: boolean;
}

const WIDTH = 80;
const LABEL_COLUMNS = 12;
/** Narrower: a command has to fit behind it. */
const STEP_COLUMNS = 9;
const INDENT = "  ";

/** What a run came to, what that cost, and what one may do next. No trailing newline. At most 80 columns, but for long paths. */
export function summary(results: Results, facts: SummaryFacts): string {
  const { color, state } = facts;
  const { config } = state;
  const head = `${paint("bold", singleLine(results.run), color)} ${paint(OUTCOME_COLORS[results.outcome], results.outcome, color)}`;
  const sections: [string, string[]][] = [
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
    ["files", [`${facts.runFolder}: ${["results.json", "journal", ...otherFiles(results, state)].join(", ")}`]],
  ];
  return [
    `${head}: ${formatCount(results.updates, "update")} in ${formatDuration(results.wall_seconds)}`,
    "",
    ...sections.flatMap(([label, texts]) => section(label, texts, color)),
    "",
    paint("bold", "next", color),
    ...nextSteps(results, facts),
  ].join("\n");
}

/** A label, and its sentences wrapped beside it. */
function section(label: string, texts: readonly string[], color: boolean): string[] {
  const room = WIDTH - INDENT.length - LABEL_COLUMNS;
  return texts
    .flatMap((text) => wrap(text, room))
    .map((line, index) => {
      const margin =
        index === 0
          ? paint("bold", label, color) + " ".repeat(LABEL_COLUMNS - label.length)
          : " ".repeat(LABEL_COLUMNS);
      return `${INDENT}${margin}${printable(line)}`;
    });
}

/** Not between a number and its unit. */
const BREAK = / (?!(?:s|min|h|d|%)(?![a-z]))/;

/** A longer word, such as a path, keeps its line. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(BREAK)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
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
function describeBudget(results: Results, { signal: { grid } }: SummaryFacts["state"]): string[] {
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

/** What else of the run folder is of use: a script keeps its weights where it likes. */
function otherFiles({ scores }: Results, { config, weights }: SummaryFacts["state"]): string[] {
  if (config.script !== undefined) return ["worker.log"];
  const checkpoints = weights.checkpoints.length > 0 ? ["checkpoints/"] : ["worker.log"];
  // An adapter is written when it is scored.
  return isOfText(config) && scores !== null ? [...checkpoints, "adapter/"] : checkpoints;
}

/** Commands that make sense after this outcome, each with what it is for. */
function nextSteps({ outcome, k }: Results, { runFolder, state: { config }, color }: SummaryFacts): string[] {
  const look = ["look", `npx thawline watch ${runFolder}`] as const;
  const verify = ["verify", `npx thawline replay ${runFolder}`] as const;
  const resume = ["go on", `npx thawline resume ${runFolder}`] as const;
  const otherTau = k?.tau === 8 ? 3 : 8;
  const whatIf = ["what if", `npx thawline replay ${runFolder} --what-if tau=${otherTau}`] as const;
  const seed = ["seed", `npx thawline run ${runFolder}/config.yaml seed=${config.seed + 1}`] as const;
  const asked = k?.signal == null ? [] : [whatIf];
  // Another seed of a script is the script's own business.
  const again = config.script === undefined ? [seed] : [];
  const steps = outcome === "finished" ? [look, verify, ...asked, ...again] : [resume, look, verify];
  return steps.map(([label, command]) => `${INDENT}${label.padEnd(STEP_COLUMNS)}${paint("cyan", command, color)}`);
}

const OUTCOME_COLORS = { finished: "green", stopped: "yellow", failed: "red" } as const;

/** The caller, who knows the stream, has decided about colour. */
function paint(style: "bold" | "cyan" | "green" | "yellow" | "red", text: string, color: boolean): string {
  const shown = printable(text);
  return color && shown !== "" ? styleText(style, shown, { validateStream: false }) : shown;
}
