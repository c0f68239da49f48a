import type { Results } from "../../reading/results.js";
import { formatCount, formatInteger } from "../../words/format.js";
import { describeOrigin } from "../../words/names.js";
import { fileName, type Axis, type CategoryFigure, type Rule } from "./figure.js";

export function shareAxis(score: string): Axis {
  return {
    title: score.replaceAll("_", " "),
    column: fileName(score).replaceAll("-", "_"),
    scale: "linear",
    format: "share",
  };
}

/** Scores of one run under each corruption, and in each language; none where it has none. */
export function scoreFigures(results: Results): CategoryFigure[] {
  const corruptions = corruptionFigure(results);
  return [...(corruptions === null ? [] : [corruptions]), ...languageFigures(results)];
}

function corruptionFigure({ ood, in_dist: clean, images_from_jpeg: fromJpeg }: Results): CategoryFigure | null {
  if (ood === null) return null;
  const ranked = Object.entries(ood.per_corruption).sort(([, a], [, b]) => b - a);
  const leftOut = Object.keys(ood.left_out);
  const marked = (name: string): string => (leftOut.includes(name) ? `${name} *` : name);
  const marks = describeOrigin({ regenerated: ood.regenerated, fromJpeg }, ", ");
  const images = `${formatInteger(ood.images_per_corruption)} images of each${marks}`;
  const rules: Rule[] = [
    { axis: "x", at: ood.mean, label: "mean", group: null, kind: "reference" },
    ...(clean?.["accuracy"] === undefined
      ? []
      : [{ axis: "x", at: clean["accuracy"], label: "clean", group: null, kind: "decision" } as const]),
  ];
  return {
    kind: "categories",
    draws: "bars",
    id: "corruptions",
    title: "Accuracy under each corruption",
    caption: [
      images,
      "dashed: the mean; solid: the clean test images",
      ...(leftOut.length === 0
        ? []
        : [`* not in the mean: ${leftOut.map((n) => `${n} (${ood.left_out[n] ?? ""})`).join(", ")}`]),
    ],
    column: "corruption",
    value: shareAxis("accuracy"),
    categories: ranked.map(([name]) => marked(name)),
    groups: [
      {
        name: "accuracy",
        values: ranked.map(([name, value]) => ({ category: marked(name), value, seeds: [] })),
      },
    ],
    rules,
  };
}

function languageFigures({ scores }: Results): CategoryFigure[] {
  return Object.entries(scores ?? {}).flatMap(([testSet, { per_language: languages, cross_lingual: mean }]) => {
    const name = Object.keys(Object.values(languages)[0] ?? {}).find((key) => key !== "num_examples");
    if (name === undefined) return [];
    const ranked = Object.entries(languages)
      .flatMap(([language, values]) => (values[name] === undefined ? [] : [[language, values[name]] as const]))
      .sort(([, a], [, b]) => b - a);
    const examples = new Set(Object.values(languages).map(({ num_examples: count }) => count));
    return [
      {
        kind: "categories",
        draws: "bars",
        id: fileName(`languages-${testSet}`),
        title: `${name} in each language of ${testSet}`,
        caption: [
          `${[...examples].map((count) => formatCount(count, "example")).join(" or ")} a language`,
          ...(mean?.[name] === undefined ? [] : ["dashed: X-ling, the mean without English"]),
        ],
        column: "language",
        value: shareAxis(name),
        categories: ranked.map(([language]) => language),
        groups: [{ name, values: ranked.map(([category, value]) => ({ category, value, seeds: [] })) }],
        rules:
          mean?.[name] === undefined
            ? []
            : [{ axis: "x", at: mean[name], label: "X-ling", group: null, kind: "reference" }],
      } satisfies CategoryFigure,
    ];
  });
}
