import { isFinite } from "../core/detector/signal.js";
import type { Results } from "./results.js";

/** Scores of a run by name, shares of 1: `in_dist/accuracy`, `ood/mean`, `ood/fog`, `xquad/x-ling/f1`, `xquad/de/f1`. */
export type NamedScores = Readonly<Record<string, number>>;

/** The mean over the languages of a test set that are not English, as the paper calls it. */
export const CROSS_LINGUAL = "x-ling";

/** Every score in the results of a run, by a name that stays the same from run to run. */
export function namedScores({ in_dist, ood, scores, best, recorded }: Results): NamedScores {
  const named: [string, number][] = [];
  if (in_dist !== null) named.push(...under("in_dist", in_dist));
  if (ood !== null) named.push(["ood/mean", ood.mean], ...under("ood", ood.per_corruption));
  for (const [testSet, { cross_lingual, per_language }] of Object.entries(scores ?? {})) {
    if (cross_lingual !== null) named.push(...under(`${testSet}/${CROSS_LINGUAL}`, cross_lingual));
    for (const [language, values] of Object.entries(per_language))
      named.push(...under(`${testSet}/${language}`, values));
  }
  if (best !== null) named.push(...under("development", best.development));
  for (const [name, series] of Object.entries(recorded)) {
    const { value } = series.last;
    if (isFinite(value)) named.push([`recorded/${name}`, value]);
  }
  return Object.fromEntries(named);
}

/** The score that runs like this one are compared by, where nobody has chosen one; null where there is none. */
export function comparedBy(scores: NamedScores): string | null {
  const names = Object.keys(scores);
  return (
    names.find((name) => name === "ood/mean") ??
    names.find((name) => name.includes(`/${CROSS_LINGUAL}/`)) ??
    names.find((name) => name.startsWith("in_dist/")) ??
    names[0] ??
    null
  );
}

function under(prefix: string, values: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(values).flatMap(([name, value]) =>
    name === "num_examples" ? [] : [[`${prefix}/${name}`, value] as [string, number]],
  );
}
