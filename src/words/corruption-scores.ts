import type { Results } from "../reading/results.js";
import { singleLine } from "../printable.js";
import { formatAccuracy, formatCount, formatInteger } from "./format.js";
import { describeOrigin } from "./names.js";

/** Accuracies under corruptions, a sentence each: their mean, the worst and the best, what is to be said of them. */
export function describeOod({ ood, images_from_jpeg: fromJpeg }: Results): string[] {
  if (ood === null) return [];
  const ranked = Object.entries(ood.per_corruption)
    .filter(([name]) => !Object.hasOwn(ood.left_out, name))
    .sort(([, a], [, b]) => a - b);
  const [worst, best] = [ranked[0], ranked.at(-1)];
  const images = `${formatInteger(ood.images_per_corruption)} images each`;
  const origin = describeOrigin({ regenerated: ood.regenerated, fromJpeg }, ", ");
  const mean = `${formatAccuracy(ood.mean)} mean of ${formatCount(ranked.length, "corruption")}, ${images}${origin}`;
  const named = ([name, accuracy]: [string, number]): string => `${singleLine(name)} ${formatAccuracy(accuracy)}`;
  const range =
    worst === undefined || best === undefined || ranked.length < 2
      ? []
      : [`worst ${named(worst)}, best ${named(best)}`];
  const leftOut = Object.entries(ood.left_out).map(([name, why]) => describeLeftOut(name, why, ood));
  const madeWith = Object.entries(ood.made_with).map(([name, what]) => `${singleLine(name)}: ${singleLine(what)}`);
  return [mean, ...range, ...describeSpread(ood), ...describeClean(ood), ...leftOut, ...madeWith];
}

function describeSpread({ last_epochs: spread }: NonNullable<Results["ood"]>): string[] {
  if (spread === null || spread.each.length < 2) return [];
  const { each, min, max } = spread;
  return [`over the last ${formatCount(each.length, "epoch")} from ${formatAccuracy(min)} to ${formatAccuracy(max)}`];
}

/** Nothing where the two ways agree, as they should. */
function describeClean({ clean }: NonNullable<Results["ood"]>): string[] {
  if (clean === null || clean.as_corrupted === clean.direct) return [];
  const [read, direct] = [formatAccuracy(clean.as_corrupted), formatAccuracy(clean.direct)];
  return [`not to be trusted: clean images have ${read} when read as the corrupted ones are, ${direct} directly`];
}

function describeLeftOut(corruption: string, why: string, ood: NonNullable<Results["ood"]>): string {
  const accuracy = ood.per_corruption[corruption];
  const shown = accuracy === undefined ? "" : ` (${formatAccuracy(accuracy)})`;
  return `without ${singleLine(corruption)}${shown}: ${singleLine(why)}`;
}
