import { singleLine } from "../../printable.js";
import { LEVEL, studentInterval } from "../../statistics/intervals.js";
import { pairedDifferences, type PairedDifferences } from "../../statistics/paired.js";
import { meanOf } from "../../statistics/moments.js";
import { formatCount, formatNumber } from "../../words/format.js";
import { baselineOf, bySeed, type Arm } from "../tables/arms.js";
import { scoreHeading, unitOfScore } from "../tables/compared-score.js";

/** What a sweep answers: which condition, by how much, and whether that is more than the spread of its seeds. */
export interface SweepAnswer {
  readonly headline: string;
  readonly sentences: readonly string[];
}

interface Contender {
  readonly arm: Arm;
  readonly mean: number;
  readonly gain: PairedDifferences | null;
}

export function sweepAnswer(arms: readonly Arm[], score: string | null): SweepAnswer {
  const done = arms.reduce((sum, { completed }) => sum + completed.length, 0);
  const planned = arms.reduce((sum, arm) => sum + arm.planned.length, 0);
  const counts = `${done} of ${formatCount(planned, "run")} finished`;
  if (score === null) return { headline: `${counts}; there is no score to compare them by yet`, sentences: [] };
  const contenders = arms.flatMap((arm) => contenderOf(arm, arms, score)).sort((a, b) => b.mean - a.mean);
  if (contenders.length === 0) return { headline: `${counts}; none has ${scoreHeading(score)} yet`, sentences: [] };
  const compared = contenders.filter(({ gain }) => gain !== null);
  if (compared.length === 0) return { headline: withoutBaseline(contenders, score), sentences: [counts] };
  const baseline = compared[0]!.arm.sweep.baseline ?? "the baseline";
  const clear = compared.filter(({ gain }) => isClear(gain!, compared.length));
  const better = clear.filter(({ gain }) => gain!.mean! > 0).sort((a, b) => b.gain!.mean! - a.gain!.mean!);
  const worse = clear.filter(({ gain }) => gain!.mean! < 0);
  const headline =
    better.length > 0
      ? `${singleLine(better[0]!.arm.label)} is better than ${baseline} in ${scoreHeading(score)}: ${gainWords(better[0]!.gain!, score)}${together(compared.length)}`
      : worse.length === compared.length
        ? `every condition is worse than ${baseline} in ${scoreHeading(score)}`
        : `no difference from ${baseline} in ${scoreHeading(score)} beyond the spread of seeds`;
  const others = compared
    .filter((one) => one !== better[0])
    .map(({ arm, gain }) => `${singleLine(arm.label)}: ${gainWords(gain!, score)}`);
  return { headline, sentences: [...others, ...multiplicity(compared), counts] };
}

/** Of many conditions without any effect the best one is clear of 0 more often than not. */
function multiplicity(compared: readonly Contender[]): string[] {
  const number = compared.length;
  if (number === 1) return [];
  const alone = compared.filter(({ gain }) => isClear(gain!, 1) && !isClear(gain!, number));
  const names = alone.map(({ arm }) => singleLine(arm.label)).join(", ");
  return [
    `each interval is of one comparison; the answer above is of all ${number} taken together (Bonferroni)`,
    ...(alone.length === 0
      ? []
      : [`alone, and not among ${number}, ${names} would differ: such a difference may be chance`]),
  ];
}

function together(comparisons: number): string {
  return comparisons === 1 ? "" : `, also of ${comparisons} comparisons taken together`;
}

function contenderOf(arm: Arm, arms: readonly Arm[], score: string): Contender[] {
  const own = bySeed(arm, score);
  const mean = meanOf([...own.values()]);
  if (mean === null) return [];
  const baseline = baselineOf(arm, arms);
  const gain = baseline === null ? null : pairedDifferences(own, bySeed(baseline, score));
  return [{ arm, mean, gain: gain?.mean == null ? null : gain }];
}

/**
 * Whether a difference's interval, widened for the number of comparisons (Bonferroni), does not hold 0; one seed alone
 * has none.
 */
function isClear({ differences }: PairedDifferences, comparisons: number): boolean {
  const values = differences.map(({ difference }) => difference);
  const interval = studentInterval(values, 1 - (1 - LEVEL) / comparisons);
  return interval !== null && (interval.lower > 0 || interval.upper < 0);
}

function withoutBaseline(contenders: readonly Contender[], score: string): string {
  const { arm, mean } = contenders[0]!;
  if (contenders.length === 1)
    return `${singleLine(arm.label)}: ${scoreHeading(score)} ${valueWords(mean, score)}, mean of ${formatCount(arm.completed.length, "run")}`;
  return `highest ${scoreHeading(score)}: ${singleLine(arm.label)} with ${valueWords(mean, score)}; there is no baseline to compare with`;
}

/** `+1.20 points, 95 % interval [0.31, 2.09], n = 4 seeds`. */
function gainWords({ mean, interval, n }: PairedDifferences, score: string): string {
  const scale = unitOfScore(score) === "share" ? 100 : 1;
  const shown = (value: number): string => (scale === 100 ? (100 * value).toFixed(2) : formatNumber(value, 4));
  const signed = `${mean! >= 0 ? "+" : ""}${shown(mean!)}${scale === 100 ? " points" : ""}`;
  if (interval === null)
    return `${signed} with ${formatCount(n, "seed")}, which say nothing of their spread`.replace(
      "1 seed, which say",
      "1 seed, which says",
    );
  return `${signed}, 95 % interval [${shown(interval.lower)}, ${shown(interval.upper)}], n = ${formatCount(n, "seed")}`;
}

function valueWords(value: number, score: string): string {
  return unitOfScore(score) === "share" ? `${(100 * value).toFixed(2)} %` : formatNumber(value, 4);
}
