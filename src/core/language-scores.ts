import type { RunConfig } from "../config/attached.js";
import { isFinite } from "./signal.js";
import type { Evaluation } from "./state.js";

/** Trained on; no part of a mean over languages. */
const TRAINING_LANGUAGE = "en";

/** Shares of 1 by name; the one that runs are compared by comes first: `accuracy`, or `f1` before `exact_match`. */
export type Scores = Readonly<Record<string, number>>;

/** A test set that is scored language by language. */
export interface LanguageScores {
  readonly per_language: Readonly<Record<string, Scores & { readonly num_examples: number }>>;
  /** X-ling: the unweighted mean over all languages but English; null where there is no other. */
  readonly cross_lingual: Scores | null;
  /** Whose rules compared answers; null where labels were compared. */
  readonly scorer: "squad" | "mlqa" | null;
}

/** Of the split `ood/xquad/de`; null for a corruption, whose split has two parts. */
export function languageOf(split: string): { readonly testSet: string; readonly language: string } | null {
  const [prefix, testSet, language] = split.split("/");
  if (prefix !== "ood" || testSet === undefined || language === undefined) return null;
  return { testSet, language };
}

/** Whether it counts in X-ling. */
export function isForeign(language: string): boolean {
  return language !== TRAINING_LANGUAGE;
}

/** Values that are numbers; not those that a split's own mean is made of (`accuracy/severity_1`). */
export function finiteScores(values: Evaluation["values"]): Scores {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      isFinite(value) && !name.includes("/") ? [[name, value] as const] : [],
    ),
  );
}

/** By test set, in the order in which they were evaluated; null where no split has a language. */
export function scoreLanguages(
  evaluations: readonly Evaluation[],
  data: RunConfig["data"],
): Readonly<Record<string, LanguageScores>> | null {
  const sets: Record<string, Record<string, Scores & { readonly num_examples: number }>> = {};
  for (const { split, values, numExamples } of evaluations) {
    const of = languageOf(split);
    if (of === null) continue;
    sets[of.testSet] = { ...sets[of.testSet], [of.language]: { ...finiteScores(values), num_examples: numExamples } };
  }
  const scored = Object.entries(sets).map(([testSet, perLanguage]) => {
    const mean = meanOverForeign(perLanguage);
    const scores = { per_language: perLanguage, cross_lingual: mean, scorer: scorerOf(data, testSet) };
    return [testSet, scores] as const;
  });
  return scored.length === 0 ? null : Object.fromEntries(scored);
}

function scorerOf(data: RunConfig["data"], testSet: string): LanguageScores["scorer"] {
  switch (data?.kind) {
    case "question_answering":
      return data.tests.find(({ name }) => name === testSet)?.scorer ?? null;
    case "xquad_articles":
      return "squad";
    default:
      return null;
  }
}

/** Of the scores that all of these languages have. */
function meanOverForeign(perLanguage: LanguageScores["per_language"]): Scores | null {
  const foreign = Object.entries(perLanguage).flatMap(([language, { num_examples: _, ...scores }]): Scores[] =>
    isForeign(language) ? [scores] : [],
  );
  const names = Object.keys(foreign[0] ?? {}).filter((name) => foreign.every((scores) => scores[name] !== undefined));
  if (names.length === 0) return null;
  const mean = (name: string): number => foreign.reduce((sum, scores) => sum + (scores[name] ?? 0), 0) / foreign.length;
  return Object.fromEntries(names.map((name) => [name, mean(name)]));
}
