import { DATA_SETS, isImageData, type DataKind } from "./data-sets.js";
import type { Problem } from "./problems.js";
import type { ParsedConfig } from "./schema.js";

/** The data whose images a benchmark corrupts; an image folder may hold them, which the worker sees. */
const CORRUPTIBLE: Readonly<
  Record<"mnist_c" | "cifar_c", { readonly kinds: readonly DataKind[]; readonly of: string }>
> = {
  mnist_c: { kinds: ["mnist"], of: "MNIST" },
  cifar_c: { kinds: ["cifar10", "cifar100", "image_folder"], of: "32 x 32 colour images" },
};

/** Settings of the out-of-distribution test set that contradict the data, or that nothing would use. */
export function findOodConflicts({ data, evaluate }: ParsedConfig): Problem[] {
  if (!isImageData(data)) return corruptionsOfText(evaluate);
  const ood = evaluate.ood ?? DATA_SETS[data.kind].ood;
  if (ood !== "none" && !CORRUPTIBLE[ood].kinds.includes(data.kind)) {
    const text = `\`evaluate.ood\` is \`${ood}\`, which are corruptions of ${CORRUPTIBLE[ood].of}, but \`data.kind\` is \`${data.kind}\``;
    return [{ paths: pathsOf("evaluate.ood", "data.kind"), text, hint: "set `evaluate.ood=none`" }];
  }
  const conflicts: Problem[] = [];
  const unused = (key: string, because: string) =>
    conflicts.push({ paths: pathsOf(key), text: `\`${key}\` is given, but ${because}`, hint: `remove \`${key}\`` });
  if (evaluate.ood_path !== null) {
    if (ood === "none") unused("evaluate.ood_path", "`evaluate.ood` is `none`");
    if (data.kind === "image_folder") {
      unused("evaluate.ood_path", "the published files are corruptions of the published CIFAR images in their order");
    }
  }
  if (evaluate.corruptions === "all" && ood !== "cifar_c") {
    unused("evaluate.corruptions", "only CIFAR-C has more than its main corruptions");
  }
  if (evaluate.frost_textures !== null) {
    if (ood !== "cifar_c") unused("evaluate.frost_textures", "only CIFAR-C has frost");
    else if (evaluate.ood_path !== null) unused("evaluate.frost_textures", "the files of `evaluate.ood_path` are read");
  }
  return conflicts;
}

/** A run on text is tested on the sets of `data`. */
function corruptionsOfText(evaluate: ParsedConfig["evaluate"]): Problem[] {
  const { ood, ood_path, frost_textures, corruptions, images_per_corruption } = evaluate;
  const given = {
    "evaluate.ood": ood !== null && ood !== "none",
    "evaluate.ood_path": ood_path !== null,
    "evaluate.frost_textures": frost_textures !== null,
    "evaluate.corruptions": corruptions !== "main",
    "evaluate.images_per_corruption": images_per_corruption !== "all",
  };
  return Object.entries(given).flatMap(([key, isGiven]) => {
    const text = `\`${key}\` is given, but only images are corrupted`;
    return isGiven ? [{ paths: pathsOf(key), text, hint: `remove \`${key}\`` }] : [];
  });
}

function pathsOf(...keys: string[]): string[][] {
  return keys.map((key) => key.split("."));
}
