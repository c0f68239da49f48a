import { momentsOf } from "../../statistics/moments.js";
import type { Arm, CompletedRun } from "./arms.js";
import { kMarks } from "./marks.js";
import { cell, type Cell } from "./table.js";

/** k of an arm by seed; a fixed one, the same for all seeds, is one number. Nothing where there is no k. */
export function kCell({ completed }: Pick<Arm, "completed">): Cell {
  const points = completed.flatMap(({ run: { seed }, results: { k } }) =>
    k === null ? [] : [{ seed, value: k.value }],
  );
  const values = points.map(({ value }) => value);
  const { n, mean, standardDeviation } = momentsOf(values);
  if (mean === null) return cell();
  const isFixed = completed.every(({ results: { k } }) => k === null || k.source === "fixed");
  const shown = isFixed && new Set(values).size === 1 ? [{ seed: null, value: values[0]! }] : points;
  return cell({ value: mean, standardDeviation, n, points: shown, marks: kMarks(completed) });
}

/** k as Algorithm 2 finds it on the series up to the decision. */
export function offlineCell({ completed }: Pick<Arm, "completed">): Cell {
  const points = completed.flatMap(({ run: { seed }, results: { k } }) =>
    k === null || k.k_offline === null ? [] : [{ seed, value: k.k_offline }],
  );
  const { n, mean, standardDeviation } = momentsOf(points.map(({ value }) => value));
  return mean === null ? cell() : cell({ value: mean, standardDeviation, n, points });
}

/** Whether something other than the configuration chose k. */
export function wasChosen({ results: { k } }: CompletedRun): boolean {
  return k !== null && k.source !== "fixed";
}
