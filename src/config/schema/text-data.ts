import { z } from "zod";
import { atLeast, commit, limit, path } from "./fields.js";

/**
 * Languages of the published test sets that a configuration may leave out. XQuAD's are as published and as XTREME scores
 * it; Romanian was added later.
 */
export const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  xquad: ["en", "ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi", "zh"],
  mlqa: ["en", "ar", "de", "es", "hi", "vi", "zh"],
  xnli: ["en", "ar", "bg", "de", "el", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh"],
};

const language = z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z]{2,4})?$/, {
  error: "expected a language's code, such as `de`",
});
const languages = z.array(language).min(1);

const hubSource = z.strictObject({
  hub: z.string().min(1).describe("Id of a data set on the Hugging Face Hub."),
  revision: commit.describe("Commit of the data set: 40 hex digits."),
  config: z.string().min(1).nullable().default(null).describe("Configuration; `{language}` is a language's code."),
  split: z.string().min(1).describe("Split, such as `train` or `validation`."),
});

/** A path's `{language}` is a language's code, like that of a configuration on the Hub. */
const source = (what: string) =>
  z
    .union([path(), hubSource], {
      error: "expected a path, or a mapping with `hub`, `revision` and `split`",
    })
    .describe(
      `${what}: a file or folder as published, or a split on the Hub. In a file, relative to that file; elsewhere to the current folder.`,
    );

const testSet = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, { error: "expected up to 32 small letters, digits, `_` and `-`" })
    .describe("Name in results; `xquad`, `mlqa` and `xnli` stand for their languages."),
  source: source("Test data"),
  languages: languages.nullable().default(null).describe("Codes of the languages; null: all that the name stands for."),
});

const scorer = z.enum(["squad", "mlqa"]);
const answerTestSet = testSet.extend({
  scorer: scorer
    .nullable()
    .default(null)
    .describe(
      "Official scorer, which normalises answers; null: `mlqa` for a test set of that name, otherwise `squad`.",
    ),
});

/** The scorer of a test set that names none. */
export function scorerOf(test: z.output<typeof answerTestSet>): z.output<typeof scorer> {
  return test.scorer ?? (test.name === "mlqa" ? "mlqa" : "squad");
}

const sizes = {
  max_train_examples: limit("Use only the first so many training examples; null: all."),
  max_test_examples: limit(
    "Use only the first so many examples of the development set, and of each language of each test set; null: all.",
  ),
};
const maxLength = (standard: number) => atLeast(16).default(standard).describe("Tokens of a sequence at most.");
const stride = atLeast(0).default(128).describe("Tokens that neighbouring windows of a long text share.");

export const questionAnswering = z.strictObject({
  kind: z.literal("question_answering").describe("Extractive question answering, as SQuAD 1.1."),
  train: source("English training data"),
  development: source("English data that say which weights are the best"),
  tests: z.array(answerTestSet).default([]).describe("What the run is tested on."),
  max_length: maxLength(384),
  stride,
  ...sizes,
});

export const sentencePairs = z.strictObject({
  kind: z.literal("sentence_pairs").describe("Natural language inference, as MultiNLI."),
  train: source("English training data"),
  development: source("English data that say which weights are the best"),
  tests: z.array(testSet).default([]).describe("What the run is tested on."),
  max_length: maxLength(128),
  ...sizes,
});

export const xquadArticles = z.strictObject({
  kind: z
    .literal("xquad_articles")
    .describe("XQuAD alone: 30 English articles to train on, 6 for development, 12 held out in every language."),
  path: path(
    "Folder of `xquad.en.json` and its like. In a file, relative to that file; elsewhere to the current folder.",
  ),
  languages: languages.default([...LANGUAGES["xquad"]!]).describe("Codes of the languages to test in."),
  max_length: maxLength(384),
  stride,
  ...sizes,
});

/** As runs use them: every test set says its languages, and its scorer. */
export const resolvedQuestionAnswering = questionAnswering.extend({
  tests: z.array(answerTestSet.extend({ languages, scorer })),
});
export const resolvedSentencePairs = sentencePairs.extend({ tests: z.array(testSet.extend({ languages })) });

export type Source = z.output<typeof questionAnswering>["train"];
