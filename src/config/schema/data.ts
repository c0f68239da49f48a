import { z } from "zod";
import { DATA_KINDS, DATA_SETS, type DataKind } from "../data-sets.js";
import { keyFacts, limit, path } from "./fields.js";
import {
  questionAnswering,
  resolvedQuestionAnswering,
  resolvedSentencePairs,
  sentencePairs,
  xquadArticles,
} from "./text-data.js";

export const augment = z.enum(["none", "standard"]);
const perChannel = (number: z.ZodNumber, meaning: string) => z.array(number).min(1).max(3).describe(meaning);

const verify_checksums = z
  .boolean()
  .default(true)
  .describe("Refuse data files whose checksum is not the published one (MNIST, CIFAR, CIFAR-C).");

/** What every data set of images can be told. */
const imageKeys = {
  path: path(null, (value) => value !== "bundled")
    .default("bundled")
    .describe(
      "Folder of the data files, or archive of CIFAR; `bundled`: the MNIST files that come with thawline. " +
        "In a file, relative to that file; elsewhere to the current folder.",
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
};

type Published = { [K in DataKind]: (typeof DATA_SETS)[K]["hasChecksums"] extends true ? K : never }[DataKind];
const published = DATA_KINDS.filter((kind): kind is Published => DATA_SETS[kind].hasChecksums);
const others = DATA_KINDS.filter((kind): kind is Exclude<DataKind, Published> => !DATA_SETS[kind].hasChecksums);

const publishedImages = z.strictObject({
  kind: z.enum(published).describe("Data set of images whose files have published checksums."),
  verify_checksums,
  ...imageKeys,
});
const otherImages = z.strictObject({ kind: z.enum(others).describe("Other images."), ...imageKeys });

export const data = z
  .discriminatedUnion("kind", [publishedImages, otherImages, questionAnswering, sentencePairs, xquadArticles])
  .register(keyFacts, { replacedWith: "kind", instead: "an attached script reads its own data" });

/** The keys that images of this kind have. */
export function imageDataForm(kind: DataKind): z.ZodObject {
  return DATA_SETS[kind].hasChecksums ? publishedImages : otherImages;
}

const absolute = z.string().startsWith("/");

/** As a run uses it: folders are absolute, and nothing is left to custom. */
export const resolvedData = z.discriminatedUnion("kind", [
  publishedImages.extend({ path: absolute, augment }),
  otherImages.extend({ path: absolute, augment }),
  resolvedQuestionAnswering,
  resolvedSentencePairs,
  xquadArticles.extend({ path: absolute }),
]);
