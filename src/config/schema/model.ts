import { z } from "zod";
import { patternFault } from "../checks/patterns.js";
import { isFolderName } from "../layers/folder-name.js";
import { atLeast, commit, keyFacts, path } from "./fields.js";

/** What every network for images can be told of the weights that it begins with. */
const weights = path()
  .nullable()
  .default(null)
  .describe(
    "What the network begins with, besides what the seed draws: a safetensors file, or the folder of a run, of which " +
      "its best weights are read where it keeps them, else its newest whole checkpoint. A head of another form is " +
      "drawn anew. In a file, relative to that file; elsewhere to the current folder. null: the seed draws all.",
  );
const weights_sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { error: "expected the 64 hex digits of a SHA-256" })
  .nullable()
  .default(null)
  .describe("SHA-256 of the file of `model.weights`; null: whatever it is when the run is made, which notes it here.");
const weights_head = z
  .enum(["fitting", "new"])
  .default("fitting")
  .describe(
    "`fitting`: the head of `model.weights` is read where it has the network's form; `new`: it is drawn anew in any case, " +
      "as for other classes of the same number.",
  );

const images = [
  z.strictObject({
    kind: z.literal("resnet18").describe("ResNet-18; 5 blocks and a head."),
    stem: z
      .enum(["cifar", "imagenet"])
      .default("cifar")
      .describe(
        "`cifar`: a 3 x 3 convolution, for small images; `imagenet`: 7 x 7 of stride 2 and a max-pooling, several times " +
          "cheaper.",
      ),
    weights,
    weights_sha256,
    weights_head,
    width: atLeast(1).default(64).describe("Channels of the first stage; 64 is the standard ResNet-18."),
  }),
  z.strictObject({
    kind: z.literal("vgg11").describe("VGG-11 for images of at least 32 x 32; 8 blocks and a head of 3 layers."),
    weights,
    weights_sha256,
    weights_head,
    batch_norm: z.boolean().default(false).describe("A BatchNorm after each convolution, in the convolution's block."),
    dropout: z.number().min(0).lt(1).default(0).describe("Dropout before the first two layers of the head."),
    head_width: atLeast(1).default(512).describe("Units of the head's two hidden layers."),
  }),
] as const;

const DOTTED_NAME = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/);

const pattern = (meaning: string) =>
  z
    .string()
    .min(1)
    .refine((text) => patternFault(text) === null, {
      error: ({ input }) => `expected a regular expression (${patternFault(String(input))})`,
    })
    .describe(meaning);

const option = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: "expected a text, a number, `true`, `false` or `null`",
});

const block = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: "expected up to 64 letters, digits, `.`, `_` and `-`, beginning with a letter or digit",
    })
    .describe("Name of the block."),
  pattern: pattern("Regular expression of Python that is found in the names of the block's parameters."),
});

/** PEFT has lists of parts of a layer among its options. */
const adapterOption = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())], {
  error: "expected a text, a number, `true`, `false`, `null` or a list of texts",
});

const targets = z
  .array(z.string().min(1))
  .min(1)
  .default(["query", "value"])
  .describe("Parts of every layer that get an adapter.");

const lora = z.strictObject({
  method: z.literal("lora").default("lora").describe("LoRA."),
  r: atLeast(1).default(8).describe("Rank of LoRA."),
  alpha: atLeast(1).default(8).describe("Scale of LoRA: what it adds is multiplied by alpha / r."),
  dropout: z.number().min(0).lt(1).default(0.2).describe("Dropout before LoRA."),
  targets,
});

const otherAdapter = z.strictObject({
  method: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,31}$/, { error: "expected `lora` or another method of PEFT, such as `ia3`" })
    .describe("Another method of PEFT."),
  targets,
  options: z.record(z.string(), adapterOption).default({}).describe("Its options, by their names in PEFT."),
});

const encoder = z.strictObject({
  kind: z.literal("encoder").describe("A pretrained multilingual encoder with adapters, such as XLM-R with LoRA."),
  pretrained: path(
    "Id of a model on the Hugging Face Hub, or a folder, which begins with `./`, `../`, `~/` or `/`. In a file, " +
      "relative to that file; elsewhere to the current folder.",
    isFolderName,
  ),
  revision: commit.nullable().default(null).describe("Commit of a model on the Hub: 40 hex digits; null for a folder."),
  adapter: z
    .union([lora, otherAdapter], { error: "expected a mapping with a `method`, such as `lora`" })
    .register(keyFacts, { replacedWith: "method" })
    .prefault({ method: "lora" })
    .describe("What is trained in every layer; the encoder's own weights never are."),
  blocks: z
    .array(block)
    .min(1)
    .nullable()
    .default(null)
    .describe("Blocks over the names of the adapters' parameters, from the head down; null: a block a layer."),
});

const builtIn = z.discriminatedUnion("kind", [...images, encoder]);

const own = z.strictObject({
  kind: z
    .templateLiteral([DOTTED_NAME, ":", DOTTED_NAME])
    .describe("A function of your own that builds the model, by module and name: `my_package.my_module:build`."),
  folder: path()
    .default(".")
    .describe(
      "Folder in which the module is looked for, before the Python path. In a file, relative to that file; elsewhere " +
        "to the current folder.",
    ),
  weights,
  weights_sha256,
  weights_head,
  options: z
    .record(z.string(), option)
    .default({})
    .describe("What the function is given besides the sizes, by name; a number without a fraction arrives as int."),
  blocks: z
    .array(block)
    .min(1)
    .describe("The model's blocks, from the head down; every parameter is in exactly one of them or in the head."),
  head: pattern("Regular expression of the parameters that train from the first update."),
});

const KINDS = "`resnet18`, `vgg11`, `encoder` or an import path such as `my_package.my_module:build`";

/** Said where no form knows the `kind`; zod names neither form of a union. */
const error = ({ input }: { readonly input?: unknown }): string =>
  typeof input === "object" ? `expected ${KINDS}` : `expected a mapping whose \`kind\` is ${KINDS}`;

export const model = z.union([builtIn, own], { error }).register(keyFacts, {
  replacedWith: "kind",
  instead: "an attached script brings its own model",
});

/** As a run uses it: the folder of a user's own module is absolute. */
export const resolvedModel = z.union([builtIn, own.extend({ folder: z.string().startsWith("/") })], { error });
