import { z } from "zod";
import { DATA_KINDS } from "../data-sets.js";
import { limit } from "./fields.js";
import {
  questionAnswering,
  resolvedQuestionAnswering,
  resolvedSentencePairs,
  sentencePairs,
  xquadArticles,
} from "./text-data.js";

export const augment = z.enum(["none", "standard"]);
const perChannel = (number: z.ZodNumber, meaning: string) => z.array(number).min(1).max(3).describe(meaning);

const images = z.strictObject({
  kind: z.enum(DATA_KINDS).describe("Data set of images."),
  path: z
    .string()
    .min(1)
    .default("bundled")
    .describe(
      "Folder of the data files, or archive of CIFAR; `bundled`: the MNIST files that come with thawline. " +
        "In a file, relative to that file; elsewhere to the current folder.",
    ),
  verify_checksums: z
    .boolean()
    .default(true)
    .describe(
      "Refuse data files whose checksum is not the published one, where one is published (MNIST, CIFAR, CIFAR-C).",
    ),
  max_train_examples: limit("Use only the first so many training examples; null: all."),
  max_test_examples: limit("Use only the first so many test examples; null: all."),
  normalization: z
    .strictObject({
      mean: perChannel(z.number(), "Mean of each channel, of pixels scaled to [0, 1]."),
      std: perChannel(z.number().positive(), "Standard deviation of each channel, of pixels scaled to [0, 1]."),
    })
    .nullable()
    .default(null)
    .describe("How inputs are normalised; null: the data set's customary constants, or those of an image folder."),
  augment: augment
    .nullable()
    .default(null)
    .describe(
      "Training batches as they are, or `standard`: zero-padded by 4, cropped at random and mirrored half the time; " +
        "null: `standard` for CIFAR, otherwise `none`. Never for probes and evaluation.",
    ),
});

export const data = z.discriminatedUnion("kind", [images, questionAnswering, sentencePairs, xquadArticles]);

const path = z.string().startsWith("/");

/** As a run uses it: folders are absolute, and nothing is left to custom. */
export const resolvedData = z.discriminatedUnion("kind", [
  images.extend({ path, augment }),
  resolvedQuestionAnswering,
  resolvedSentencePairs,
  xquadArticles.extend({ path }),
]);
