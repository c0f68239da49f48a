import { z } from "zod";
import { atLeast, limit, wordOrInteger } from "./fields.js";

export const ood = z.enum(["mnist_c", "cifar_c", "none"]);

export const evaluate = z.strictObject({
  batch_size: atLeast(1).default(256).describe("Examples per evaluation batch."),
  ood: ood
    .nullable()
    .default(null)
    .describe("Out-of-distribution test set; null: `mnist_c` for MNIST, `cifar_c` for CIFAR, otherwise `none`."),
  ood_path: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Folder of the published MNIST-C, CIFAR-10-C or CIFAR-100-C; null: regenerated from the clean test images. " +
        "In a file, relative to that file; elsewhere to the current folder.",
    ),
  corruptions: z
    .enum(["main", "all"])
    .default("main")
    .describe("The 15 corruptions of CIFAR-C's benchmark, or all 19."),
  frost_textures: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Folder of the pictures that regenerated frost needs; null: those of the Python package " +
        "imagecorruptions-imaug, without which frost is left out. Relative as `evaluate.ood_path` is.",
    ),
  images_per_corruption: wordOrInteger(["all"])
    .default("all")
    .describe("Test images per corruption and severity: all, or the first so many."),
  every: limit(
    "Updates between two validations on the development set, by which the best weights are known; null: none.",
  ),
  keep: z
    .enum(["best", "last"])
    .default("last")
    .describe(
      "Which weights are evaluated at the end and left by the run: the best on the development set, or the last.",
    ),
});
