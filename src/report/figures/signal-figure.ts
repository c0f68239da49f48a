import { splitKey } from "../../core/block-series.js";
import { recordedNameIn, signalKey, signalOf, isFinite } from "../../core/detector/signal.js";
import { updateAt } from "../../core/intervention/counting.js";
import { onlineRule } from "../../core/intervention/online-rule.js";
import { detectorRule } from "../../core/measured.js";
import type { SeriesPoint, State } from "../../core/state.js";
import { askWhatIf } from "../../journal/replay.js";
import { DEFAULT_EPSILON, metricRow } from "../../metrics.js";
import { selectSignal } from "../../reading/selectors.js";
import { describeSource, signalName, signalUnit } from "../../words/names.js";
import { describeSignals } from "../../words/signal-options.js";
import { fileName, UPDATES, type Axis, type LineFigure, type Point, type Rule } from "./figure.js";

/** A metric over the updates, with its standard errors, and where k was or would have been. */
export function signalFigure(state: State, key: string): LineFigure {
  const name = signalName(key);
  const points = state.signal.series[key] ?? [];
  return {
    kind: "lines",
    id: `signal-${fileName(signalOf(key).replace("recorded:", ""))}`,
    title: name,
    caption: [captionOf(state, key)].filter((text) => text !== ""),
    x: UPDATES,
    y: signalAxis(key),
    series: [
      { name, group: name, role: "main", draws: "line", points: [...points].map(drawnPoint) },
      ...ofBlocks(state, key),
    ],
    rules: rulesOf(state, key),
  };
}

export function signalAxis(key: string): Axis {
  const unit = signalUnit(signalOf(key));
  return {
    title: `${signalName(key)}${unit === "" ? "" : ` (${unit})`}`,
    column: fileName(signalOf(key).replace("recorded:", "")).replaceAll("-", "_"),
    scale: "linear",
    format: "number",
  };
}

export function drawnPoint({ update, value, standardError }: SeriesPoint): Point {
  if (!isFinite(value)) return { x: update, y: NaN };
  const error = isFinite(standardError) ? standardError : null;
  return error === null ? { x: update, y: value } : { x: update, y: value, low: value - error, high: value + error };
}

/** The same metric of single blocks, where it was measured. */
function ofBlocks({ signal: { series } }: State, key: string): LineFigure["series"] {
  return Object.entries(series).flatMap(([other, points]) => {
    const parts = splitKey(other);
    if (parts?.metric !== key) return [];
    const { block } = parts;
    return [
      { name: block, group: block, role: "main" as const, draws: "line" as const, points: points.map(drawnPoint) },
    ];
  });
}

function captionOf(state: State, key: string): string {
  if (recordedNameIn(key) !== null) return "recorded by the script";
  return [...describeSignals(state.config, state.signal.grid?.every)]
    .filter((sentence, index) => index === 0 || sentence.startsWith(`${signalName(key)}:`))
    .join("; ");
}

/** Of the signal that decided, what was decided; of another one, what the rule would have said of it. */
function rulesOf(state: State, key: string): Rule[] {
  const { config, interval } = state;
  const at = (k: number): number => updateAt(config.intervention, k);
  if (selectSignal(state).signal === signalOf(key) && config.intervention.kind !== "none") return decisionRules(state);
  const { tau, epsilon } = rowRule(state, key) ?? {};
  if (tau === undefined || epsilon === undefined) {
    return interval === null ? [] : [rule(at(interval.k), `k = ${interval.k}`, "decision")];
  }
  const answer = askWhatIf(state, { metric: signalOf(key), tau, epsilon });
  const online =
    answer.kOnline === null ? [] : [rule(at(answer.kOnline), `online would be ${answer.kOnline}`, "decision")];
  const { k } = answer.offline;
  return [...online, ...(k === null ? [] : [rule(at(k), `offline ${k}`, "hindsight")])];
}

/** The lines of what was decided; shared by figures that have the updates as their x. */
export function decisionRules(state: State): Rule[] {
  const { config, interval } = state;
  const at = (k: number): number => updateAt(config.intervention, k);
  const { latest } = selectSignal(state);
  const limit =
    latest === null || interval?.source === "cap" ? [] : [rule(latest.update, `k_max ${latest.k}`, "limit")];
  if (interval === null) return limit;
  const { k, source, kOffline } = interval;
  const word = source === "cap" ? "k = k_max =" : source === "online" ? "k online" : "k =";
  const how = source === "fixed" ? " (fixed)" : source === "operator" ? ` (${describeSource(source)})` : "";
  const offline = kOffline === null ? [] : [rule(at(kOffline), `k offline ${kOffline}`, "hindsight")];
  return [rule(at(k), `${word} ${k}${how}`, source === "cap" ? "limit" : "decision"), ...offline, ...limit];
}

/** The window and tolerance that a metric which did not decide is asked about with; null where it may not decide. */
export function rowRule(state: State, key: string): { readonly tau: number; readonly epsilon: number } | null {
  const row = metricRow(signalOf(key));
  if (row?.tau == null) return null;
  const own = detectorRule(state.config);
  if (onlineRule(state.config.intervention) !== null && signalKey(own.signal) === key) return own;
  return { tau: row.tau, epsilon: own.mode === undefined ? own.epsilon : DEFAULT_EPSILON };
}

function rule(at: number, label: string, kind: Rule["kind"]): Rule {
  return { axis: "x", at, label, group: null, kind };
}
