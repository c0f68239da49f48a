import { comparedBy, namedScores } from "../reading/named-scores.js";
import type { Sweep, SweptRun } from "../sweep/swept-run.js";
import { momentsOf } from "../statistics/moments.js";
import { pairedDifferences } from "../statistics/paired.js";
import { countStandings, describeAxes, formatNamedScore, nameOfRun } from "./sweep.js";

/** Below so many seeds a mean says less than the points themselves. */
const FEW_SEEDS = 6;

/** Runs of one condition and one point of its axes: what differs among them is the seed. */
interface Group {
  readonly name: string;
  readonly condition: string;
  readonly runs: readonly SweptRun[];
}

/** The state of a sweep and its scores so far, conditions x seeds. */
export function describeSweep(sweep: Sweep): string {
  const score = deciding(sweep);
  const title = `${sweep.title ?? sweep.name}${sweep.scale === null ? "" : ` (scale \`${sweep.scale}\`)`}`;
  const failures = sweep.runs.filter(({ standing }) => standing === "failed");
  return [
    `${title}: ${countStandings(sweep.runs.map(({ standing }) => standing))}`,
    ...(score === null ? [] : table(sweep, score)),
    ...failures.map((run) => `failed: ${nameOfRun(run)}: ${run.failure ?? ""}`),
  ].join("\n");
}

/** The score by which the runs of a sweep are compared; null until one has finished. */
export function deciding({ evaluateOn, runs }: Sweep): string | null {
  const first = runs.find(({ results }) => results !== null)?.results;
  return evaluateOn ?? (first == null ? null : comparedBy(namedScores(first)));
}

function table(sweep: Sweep, score: string): string[] {
  const groups = groupsOf(sweep);
  const baseline = groups.find(({ condition }) => condition === sweep.baseline);
  const base = baseline === undefined ? null : bySeed(baseline, score);
  const rows = groups.map((group) => rowOf(group, score, base === null || group === baseline ? null : base));
  const header = ["", "n", score, base === null ? "" : `over ${baseline!.name}`, "k", "by seed"];
  return aligned([header, ...rows]);
}

function groupsOf({ conditions, runs }: Sweep): Group[] {
  return conditions.flatMap((condition) => {
    const own = runs.filter((run) => run.condition === condition);
    const points = [...new Set(own.map(({ axes }) => describeAxes(axes)))];
    return points.map((point) => ({
      name: [condition, point].filter(Boolean).join(" "),
      condition,
      runs: own.filter(({ axes }) => describeAxes(axes) === point),
    }));
  });
}

function bySeed({ runs }: Group, score: string): ReadonlyMap<number, number> {
  return new Map(
    runs.flatMap(({ seed, results }): [number, number][] => {
      const value = results === null ? undefined : namedScores(results)[score];
      return value === undefined ? [] : [[seed, value]];
    }),
  );
}

function rowOf(group: Group, score: string, base: ReadonlyMap<number, number> | null): string[] {
  const scores = bySeed(group, score);
  const { n, mean, standardDeviation } = momentsOf([...scores.values()]);
  const spread = standardDeviation === null ? "" : ` +- ${formatNamedScore(score, standardDeviation)}`;
  const points = n > 0 && n < FEW_SEEDS ? [...scores.values()].map((value) => formatNamedScore(score, value)) : [];
  return [
    group.name,
    `${n} of ${group.runs.length}`,
    mean === null ? "-" : `${formatNamedScore(score, mean)}${spread}`,
    base === null ? "" : gainOf(scores, base, score),
    intervalsOf(group),
    points.join(" "),
  ];
}

function gainOf(scores: ReadonlyMap<number, number>, base: ReadonlyMap<number, number>, score: string): string {
  const { n, mean, interval } = pairedDifferences(scores, base);
  if (mean === null) return "-";
  const signed = (value: number): string => `${value >= 0 ? "+" : "-"}${formatNamedScore(score, Math.abs(value))}`;
  return `${signed(mean)}${interval === null ? "" : ` [${signed(interval.lower)}, ${signed(interval.upper)}]`}${n < scores.size ? ` (n ${n})` : ""}`;
}

/** The k of each seed; one that nothing chose is marked. */
function intervalsOf({ runs }: Group): string {
  const found = runs.flatMap(({ results }) => (results?.k == null ? [] : [results.k]));
  const shown = found.map(({ value, source }) => `${value}${source === "cap" ? " (cap)" : ""}`);
  return new Set(shown).size === 1 ? shown[0]! : shown.join(" ");
}

/** Columns as wide as their widest cell; empty ones left out. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]!.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== ""));
  const widths = columns.map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    columns
      .map((column, index) => row[column]!.padEnd(widths[index]!))
      .join("  ")
      .trimEnd(),
  );
}
