import type { RunConfig } from "../config/attached.js";
import { isImageData } from "../config/data-sets.js";
import type { Config } from "../config/schema.js";
import { UserError } from "../errors.js";
import { CROSS_LINGUAL } from "../reading/named-scores.js";

/** Names of scores; a `*` at the end stands for what only the worker knows. */
type Pattern = string;

/**
 * @param evaluateOn score by which a sweep compares its conditions
 * @param run one of its runs
 * @param place of `evaluate_on`
 * @throws UserError `invalid_sweep` where a built-in training will have no such score; what a script's will be nobody knows
 */
export function requireScore(
  evaluateOn: string,
  { condition, config }: { readonly condition: string; readonly config: RunConfig },
  place: string | null,
): void {
  if (config.script !== undefined) return;
  const patterns = scoresOf(config);
  const known = patterns.some((pattern) =>
    pattern.endsWith("*") ? evaluateOn.startsWith(pattern.slice(0, -1)) : evaluateOn === pattern,
  );
  if (known) return;
  throw new UserError({
    code: "invalid_sweep",
    message: `${place ?? "the file"}: \`evaluate_on\` is \`${evaluateOn}\`, a score that runs of condition \`${condition}\` will not have`,
    hint: `theirs are ${patterns.map((pattern) => `\`${pattern}\``).join(", ")}`,
  });
}

function scoresOf(config: Config): Pattern[] {
  const { data, evaluate } = config;
  const validated = evaluate.every != null;
  const development = (metrics: readonly string[]): Pattern[] => (validated ? under(["development"], metrics) : []);
  const recorded = validated ? ["recorded/*"] : [];
  if (isImageData(data)) {
    const ood = evaluate.ood === "none" ? [] : ["ood/mean", "ood/*"];
    return ["in_dist/accuracy", ...ood, ...development(["accuracy"]), ...recorded];
  }
  const metrics = data.kind === "sentence_pairs" ? ["accuracy"] : ["f1", "exact_match"];
  const tests = data.kind === "xquad_articles" ? [{ name: "xquad", languages: data.languages }] : data.tests;
  const testSets = tests.flatMap(({ name, languages }) =>
    [CROSS_LINGUAL, ...languages].map((language) => `${name}/${language}`),
  );
  return [...under(["in_dist", ...testSets], metrics), ...development(metrics), ...recorded];
}

function under(groups: readonly string[], metrics: readonly string[]): Pattern[] {
  return groups.flatMap((group) => metrics.map((metric) => `${group}/${metric}`));
}
