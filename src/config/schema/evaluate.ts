import { z } from "zod";
import { atLeast, wordOrInteger } from "./fields.js";

export const ood = z.enum(["mnist_c", "none"]);

export const evaluate = z.strictObject({
  batch_size: atLeast(1).default(256).describe("Examples per evaluation batch."),
  ood: ood
    .nullable()
    .default(null)
    .describe("Out-of-distribution test sets; null: `mnist_c` for MNIST, otherwise `none`."),
  images_per_corruption: wordOrInteger(["all"])
    .default("all")
    .describe("Test images per corruption: all, or the first so many."),
});
