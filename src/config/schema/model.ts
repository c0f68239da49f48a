import { z } from "zod";
import { atLeast } from "./fields.js";

export const model = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("resnet18").describe("ResNet-18 in its small-image form; 5 blocks and a head."),
    width: atLeast(1).default(64).describe("Channels of the first stage; 64 is the standard ResNet-18."),
  }),
  z.strictObject({
    kind: z.literal("vgg11").describe("VGG-11 for images of at least 32 x 32; 8 blocks and a head of 3 layers."),
    batch_norm: z.boolean().default(false).describe("A BatchNorm after each convolution, in the convolution's block."),
    dropout: z.number().min(0).lt(1).default(0).describe("Dropout before the first two layers of the head."),
    head_width: atLeast(1).default(512).describe("Units of the head's two hidden layers."),
  }),
]);
