import { meanOf } from "../../statistics/moments.js";
import { studentInterval } from "../../statistics/intervals.js";
import { pairedDifferences } from "../../statistics/paired.js";
import { formatCount } from "../../words/format.js";
import {
  fileName,
  type Axis,
  type CategoryFigure,
  type CategoryValue,
  type LineFigure,
  type Point,
  type Rule,
  type Series,
} from "../figures/figure.js";
import { baselineOf, bySeed, describeRuns, K_AXIS, type Arm } from "../tables/arms.js";
import { scoreHeading, scoreNames, unitOfScore } from "../tables/compared-score.js";

export function scoreAxis(score: string, title = scoreHeading(score)): Axis {
  const format = unitOfScore(score) === "share" ? "share" : "number";
  return { title, column: fileName(score).replaceAll("-", "_"), scale: "linear", format };
}

/** Mean over seeds with Student's interval, and the seeds themselves; null where no run has the score. */
function valueOf(category: string, score: string, values: readonly number[]): CategoryValue | null {
  const mean = meanOf(values);
  if (mean === null) return null;
  const interval = values.length < FEWEST ? null : studentInterval(values);
  // No share is below 0 or above 1, whatever a few seeds say of their spread.
  const [least, most] = unitOfScore(score) === "share" ? [0, 1] : [-Infinity, Infinity];
  const ends = interval === null ? {} : { low: Math.max(least, interval.lower), high: Math.min(most, interval.upper) };
  return { category, value: mean, ...ends, seeds: values.length > 1 ? values : [] };
}

/** Of two values an interval is so wide that nothing else can be seen beside it. */
const FEWEST = 3;

const INTERVALS = `points are means over seeds with 95 % intervals (Student's t, from ${FEWEST} seeds on), the seeds behind them`;

/** What is missing, so that nobody takes a few runs for all. */
export function missingWords(arms: readonly Arm[]): string[] {
  const lacking = arms.filter(({ planned, completed }) => completed.length < planned.length);
  return lacking.map((arm) => `${arm.label}: ${describeRuns(arm)}`);
}

/** One score of every condition. */
export function conditionFigure(arms: readonly Arm[], score: string): CategoryFigure | null {
  const values = arms.flatMap((arm) => valueOf(arm.label, score, [...bySeed(arm, score).values()]) ?? []);
  if (values.length === 0) return null;
  return {
    kind: "categories",
    draws: "dots",
    id: fileName(`conditions-${score}`),
    title: `${scoreHeading(score)} by condition`,
    caption: [INTERVALS, ...missingWords(arms)],
    column: "condition",
    value: scoreAxis(score),
    categories: values.map(({ category }) => category),
    groups: [{ name: scoreHeading(score), values }],
    rules: [],
  };
}

/** What each condition has over the baseline with the same seeds; null where there is none to compare with. */
export function gainFigure(arms: readonly Arm[], score: string): CategoryFigure | null {
  const values = arms.flatMap((arm): CategoryValue[] => {
    const baseline = baselineOf(arm, arms);
    if (baseline === null) return [];
    const { differences, mean, interval } = pairedDifferences(bySeed(arm, score), bySeed(baseline, score));
    if (mean === null) return [];
    const ends = interval === null || differences.length < FEWEST ? {} : { low: interval.lower, high: interval.upper };
    return [
      {
        category: arm.label,
        value: mean,
        ...ends,
        seeds: differences.length > 1 ? differences.map((one) => one.difference) : [],
      },
    ];
  });
  if (values.length === 0) return null;
  const { baseline } = arms[0]!.sweep;
  return {
    kind: "categories",
    draws: "dots",
    id: fileName(`gain-${score}`),
    title: `Gain in ${scoreHeading(score)} over ${baseline ?? ""}`,
    caption: [`differences of runs with the same seed; ${INTERVALS}`],
    column: "condition",
    value: {
      ...scoreAxis(score, `${scoreHeading(score)}, difference${unitOfScore(score) === "share" ? " in points" : ""}`),
      column: "gain",
      format: unitOfScore(score) === "share" ? "points" : "number",
    },
    categories: values.map(({ category }) => category),
    groups: [{ name: "gain", values }],
    rules: [{ axis: "x", at: 0, label: baseline ?? "", group: null, kind: "reference" }],
  };
}

/** The score over k, as in the paper's Figure 1; null below two different k's. */
export function scoreOverK(arms: readonly Arm[], score: string): LineFigure | null {
  const series = arms.flatMap((arm): Series[] => {
    const points = arm.completed.flatMap(({ results, scores }): Point[] => {
      const y = scores[score];
      return results.k === null || y === undefined ? [] : [{ x: results.k.value, y }];
    });
    const group = Object.hasOwn(arm.axes, K_AXIS) ? arm.condition : arm.label;
    return points.length === 0
      ? []
      : [{ name: arm.label, group, role: "main", draws: "points", points: points.sort((a, b) => a.x - b.x) }];
  });
  if (new Set(series.flatMap(({ points }) => points.map(({ x }) => x))).size < 2) return null;
  const rules = arms.flatMap((arm): Rule[] => {
    const mean = meanOf([...bySeed(arm, score).values()]);
    const isWithoutK = arm.completed.every(({ results }) => results.k === null);
    return mean === null || !isWithoutK
      ? []
      : [{ axis: "y", at: mean, label: `${arm.label}, mean`, group: null, kind: "reference" }];
  });
  const lacks = series.length < 4 ? ["a sweep with `intervention.k` as an axis would show more of the curve"] : [];
  return {
    kind: "lines",
    id: fileName(`k-${score}`),
    title: `${scoreHeading(score)} over k`,
    caption: ["one point a run", ...lacks, ...missingWords(arms)],
    x: { title: "k (updates)", column: "k", scale: "linear", format: "number" },
    y: scoreAxis(score),
    series: [...series, ...meanOverK(series)],
    rules,
  };
}

/** The mean at each k of a group whose k's were tried one after the other. */
function meanOverK(series: readonly Series[]): Series[] {
  return [...new Set(series.map(({ group }) => group))].flatMap((group): Series[] => {
    const own = series.filter((one) => one.group === group);
    if (own.length < 3) return [];
    const ks = [...new Set(own.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
    const points = ks.map((x) => {
      const values = own.flatMap((one) => one.points.filter((point) => point.x === x).map(({ y }) => y));
      return { x, y: meanOf(values)! };
    });
    return [{ name: `${group}, mean`, group, role: "main", draws: "line", points }];
  });
}

/** So many conditions can be told apart beside each other. */
const MOST_GROUPS = 6;

/** Scores under each corruption, and in each language of each test set, by condition. */
export function partFigures(arms: readonly Arm[]): CategoryFigure[] {
  const names = scoreNames(arms);
  const corruptions = names.filter((name) => name.startsWith("ood/") && name !== "ood/mean");
  const languages = new Map<string, string[]>();
  for (const name of names) {
    const [testSet, language, kind] = name.split("/");
    if (kind === undefined || language === "x-ling" || testSet === "ood" || testSet === "recorded") continue;
    languages.set(`${testSet ?? ""} ${kind}`, [...(languages.get(`${testSet ?? ""} ${kind}`) ?? []), name]);
  }
  return [
    ...partFigure(arms, corruptions, {
      id: "corruptions",
      title: "Accuracy under each corruption",
      column: "corruption",
    }),
    ...[...languages].flatMap(([key, scores]) =>
      partFigure(arms, scores, {
        id: fileName(`languages-${key}`),
        title: `${key} in each language`,
        column: "language",
      }),
    ),
  ];
}

function partFigure(
  arms: readonly Arm[],
  scores: readonly string[],
  { id, title, column }: { readonly id: string; readonly title: string; readonly column: string },
): CategoryFigure[] {
  const shown = arms.filter(({ completed }) => completed.length > 0).slice(0, MOST_GROUPS);
  const partOf = (score: string): string => score.split("/")[1]!;
  const meanOfAll = (score: string): number => meanOf(shown.flatMap((arm) => [...bySeed(arm, score).values()])) ?? 0;
  const ranked = [...scores].sort((a, b) => meanOfAll(b) - meanOfAll(a));
  const groups = shown.map((arm) => ({
    name: arm.label,
    values: ranked.flatMap((score) => valueOf(partOf(score), score, [...bySeed(arm, score).values()]) ?? []),
  }));
  if (ranked.length === 0 || groups.length === 0) return [];
  const left = arms.length - shown.length;
  return [
    {
      kind: "categories",
      draws: "dots",
      id,
      title,
      caption: [INTERVALS, ...(left === 0 ? [] : [`${formatCount(left, "condition")} more in the tables`])],
      column,
      value: { ...scoreAxis(ranked[0]!, column === "corruption" ? "accuracy" : "score"), column: "score" },
      categories: ranked.map(partOf),
      groups,
      rules: [],
    },
  ];
}
