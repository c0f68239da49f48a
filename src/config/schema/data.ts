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
type Other = Exclude<DataKind, Published | "image_folder">;
const others = DATA_KINDS.filter((kind): kind is Other => !DATA_SETS[kind].hasChecksums && kind !== "image_folder");

/** What only folders of images have: classes with names, and as many images of each as there are files. */
const classes = z
  .array(z.string().min(1))
  .min(2)
  .refine((names) => new Set(names).size === names.length, { error: "expected each class once" })
  .nullable()
  .default(null)
  .describe("Use these classes only, by the names of their folders, numbered by name; null: all.");
const max_train_per_class = limit("Use only the first so many training images of each class, by name; null: all.");

const publishedImages = z.strictObject({
  kind: z.enum(published).describe("Data set of images whose files have published checksums."),
  verify_checksums,
  ...imageKeys,
});
const otherImages = z.strictObject({
  kind: z.enum(others).describe("Data set of images without published checksums."),
  ...imageKeys,
});
const folderImages = z.strictObject({
  kind: z.literal("image_folder").describe("A folder of images of your own."),
  classes,
  max_train_per_class,
  ...imageKeys,
});

export const data = z
  .discriminatedUnion("kind", [
    publishedImages,
    otherImages,
    folderImages,
    questionAnswering,
    sentencePairs,
    xquadArticles,
  ])
  .register(keyFacts, { replacedWith: "kind", instead: "an attached script reads its own data" });

/** The keys that images of this kind have. */
export function imageDataForm(kind: DataKind): z.ZodObject {
  if (kind === "image_folder") return folderImages;
  return DATA_SETS[kind].hasChecksums ? publishedImages : otherImages;
}

const absolute = z.string().startsWith("/");

/** As a run uses it: folders are absolute, and nothing is left to custom. */
export const resolvedData = z.discriminatedUnion("kind", [
  publishedImages.extend({ path: absolute, augment }),
  otherImages.extend({ path: absolute, augment }),
  folderImages.extend({ path: absolute, augment }),
  resolvedQuestionAnswering,
  resolvedSentencePairs,
  xquadArticles.extend({ path: absolute }),
]);
