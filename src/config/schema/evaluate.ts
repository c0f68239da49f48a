import { z } from "zod";
import { atLeast, keyFacts, leftOutOrGiven, limit, path, wordOrInteger } from "./fields.js";

export const OOD_SETS = ["mnist_c", "cifar_c", "none"] as const;
export type OodSet = (typeof OOD_SETS)[number];

const batch_size = atLeast(1).default(256).describe("Examples per evaluation batch.");
const ood = z
  .enum(OOD_SETS)
  .nullable()
  .default(null)
  .describe("Out-of-distribution test set; null: `mnist_c` for MNIST, `cifar_c` for CIFAR, otherwise `none`.");

/** Of corrupted images. */
const images_per_corruption = wordOrInteger(["all"])
  .default("all")
  .describe("Test images per corruption and severity: all, or the first so many.");
const ood_path = path()
  .nullable()
  .default(null)
  .describe(
    "Folder of the published MNIST-C, CIFAR-10-C or CIFAR-100-C; null: regenerated from the clean test images. " +
      "In a file, relative to that file; elsewhere to the current folder.",
  );

/** CIFAR-C's alone. */
const corruptions = z
  .enum(["main", "all"])
  .default("main")
  .describe("The 15 corruptions of CIFAR-C's benchmark, or all 19.");
const frost_textures = path()
  .nullable()
  .default(null)
  .describe(
    "Folder of the pictures that regenerated frost needs; null: those of the Python package " +
      "imagecorruptions-imaug, without which frost is left out. Relative as `evaluate.ood_path` is.",
  );

const ood_last_epochs = atLeast(2)
  .nullable()
  .default(null)
  .describe(
    "At the end of how many last epochs, that of the run among them, everything is evaluated, for the spread of the " +
      "out-of-distribution score between them; null: at the run's end alone.",
  );

/** Of images. */
const development = limit(
  "Training images that are kept apart as a development set, chosen by the seed, of each class the same share; " +
    "null: none.",
);

/** Of data with a development set. */
const every = limit(
  "Updates between two validations on the development set, by which the best weights are known; null: none.",
);
const keep = z
  .enum(["best", "last"])
  .default("last")
  .describe(
    "Which weights are evaluated at the end and left by the run: the best on the development set, or the last.",
  );

/** Every key, as a person may write it. */
export const evaluate = z.strictObject({
  batch_size,
  ood,
  ood_path,
  corruptions,
  frost_textures,
  images_per_corruption,
  ood_last_epochs,
  development,
  every,
  keep,
});
keyFacts.add(evaluate, { instead: "an attached script evaluates by itself" });

/** What is evaluated besides the clean test set. */
export interface ImageEvaluation {
  readonly ood: OodSet;
  /** Whether published files of the corruptions exist for these data, and whether they are read. */
  readonly canBePublished: boolean;
  readonly isPublished: boolean;
  /** Whether some training images are kept apart, and scored while the run trains. */
  readonly hasDevelopment: boolean;
  readonly isValidated: boolean;
}

export function imageEvaluationForm(evaluation: ImageEvaluation): z.ZodObject {
  const { ood: set, canBePublished, isPublished, hasDevelopment, isValidated } = evaluation;
  return z.strictObject({
    batch_size,
    ood,
    development,
    ...(hasDevelopment ? { every, ...(isValidated ? { keep } : {}) } : {}),
    ...(set === "none" ? {} : { images_per_corruption, ood_last_epochs, ...(canBePublished ? { ood_path } : {}) }),
    ...(set === "cifar_c" ? { corruptions, ...(isPublished ? {} : { frost_textures }) } : {}),
  });
}

export function textEvaluationForm(isValidated: boolean): z.ZodObject {
  return z.strictObject({ batch_size, every, ...(isValidated ? { keep } : {}) });
}

const bare = leftOutOrGiven(evaluate.shape);
/** As a run uses it. */
export const resolvedEvaluate = z.strictObject({
  ...bare,
  batch_size: bare.batch_size.unwrap(),
  ood: z.enum(OOD_SETS).optional(),
});
