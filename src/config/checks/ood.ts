import { DATA_SETS, isImageData, type DataKind } from "../data-sets.js";
import type { Check } from "./check.js";
import type { Problem } from "./problems.js";
import type { ParsedConfig } from "../schema.js";

/** The data whose images a benchmark corrupts; an image folder may hold them, which the worker sees. */
const CORRUPTIBLE: Readonly<
  Record<"mnist_c" | "cifar_c", { readonly kinds: readonly DataKind[]; readonly of: string }>
> = {
  mnist_c: { kinds: ["mnist"], of: "MNIST" },
  cifar_c: { kinds: ["cifar10", "cifar100", "image_folder"], of: "32 x 32 colour images" },
};

export const OF_OOD: readonly Check[] = [
  {
    find: foreignOod,
    refuses: [
      "`evaluate.ood=mnist_c` for other data than MNIST",
      "`evaluate.ood=cifar_c` for other data than CIFAR and image folders",
    ],
  },
];

/** An out-of-distribution test set that is not of these data. */
function foreignOod({ data, evaluate }: ParsedConfig): Problem[] {
  if (!isImageData(data)) return [];
  const ood = evaluate.ood ?? DATA_SETS[data.kind].ood;
  if (ood === "none" || CORRUPTIBLE[ood].kinds.includes(data.kind)) return [];
  const text = `\`evaluate.ood\` is \`${ood}\`, which are corruptions of ${CORRUPTIBLE[ood].of}, but \`data.kind\` is \`${data.kind}\``;
  const paths = [
    ["evaluate", "ood"],
    ["data", "kind"],
  ];
  return [{ paths, text, hint: "set `evaluate.ood=none`" }];
}
