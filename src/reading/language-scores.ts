import type { RunConfig } from "../config/attached.js";
import { isFinite } from "../core/detector/signal.js";
import type { Evaluation } from "../core/state.js";

/** The language of the training examples, which is no part of a mean over languages. */
const TRAINING_LANGUAGE = "en";

/** Shares of 1 by name; the one that runs are compared by comes first: `accuracy`, or `f1` before `exact_match`. */
export type Scores = Readonly<Record<string, number>>;

/** A test set that is scored language by language. */
export interface LanguageScores {
  readonly per_language: Readonly<Record<string, Scores & { readonly num_examples: number }>>;
  /** X-ling: the unweighted mean over all languages but English; null where there is no other. */
  readonly cross_lingual: Scores | null;
  /** The scorer whose rules compared the answers; null where labels were compared. */
  readonly scorer: "squad" | "mlqa" | null;
}

/** Test set and language of a split such as `ood/xquad/de`; null for a corruption, whose split has two parts. */
export function languageOf(split: string): { readonly testSet: string; readonly language: string } | null {
  const [prefix, testSet, language] = split.split("/");
  if (prefix !== "ood" || testSet === undefined || language === undefined) return null;
  return { testSet, language };
}

/** Whether a language counts in X-ling: every one but that of the training examples. */
export function isForeign(language: string): boolean {
  return language !== TRAINING_LANGUAGE;
}

/** The finite scores of a split, without the parts (`accuracy/severity_1`) of which one of them is the mean. */
export function finiteScores(values: Evaluation["values"]): Scores {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      isFinite(value) && !name.includes("/") ? [[name, value] as const] : [],
    ),
  );
}

/** Scores of each test set, in the order of evaluation; null where no split has a language. */
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

/** The mean over these languages of each score that all of them have. */
function meanOverForeign(perLanguage: LanguageScores["per_language"]): Scores | null {
  const foreign = Object.entries(perLanguage).flatMap(([language, { num_examples: _, ...scores }]): Scores[] =>
    isForeign(language) ? [scores] : [],
  );
  const names = Object.keys(foreign[0] ?? {}).filter((name) => foreign.every((scores) => scores[name] !== undefined));
  if (names.length === 0) return null;
  const mean = (name: string): number => foreign.reduce((sum, scores) => sum + (scores[name] ?? 0), 0) / foreign.length;
  return Object.fromEntries(names.map((name) => [name, mean(name)]));
}
