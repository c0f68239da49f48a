import { describe, expect, it } from "vitest";
import { outcomeOf } from "../outcome.js";

const outcome = (...overrides: string[]): string => outcomeOf("cifar10-resnet18", "data.path=x", ...overrides);

describe("checks of out-of-distribution sets", () => {
  it("wants corruptions that fit the data; an image folder may hold 32 x 32 images", () => {
    expect(outcome("data.kind=mnist")).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood\` is \`cifar_c\`, which are corruptions of 32 x 32 colour images, but \`data.kind\` is \`mnist\` / set \`evaluate.ood=none\`"`,
    );
    expect(outcome("data.kind=mnist", "evaluate.ood=null")).toBe("accepted");
    expect(outcome("data.kind=cifar100")).toBe("accepted");
    expect(outcome("data.kind=image_folder")).toBe("accepted");
    expect(outcome("data.kind=fashion_mnist", "evaluate.ood=mnist_c")).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood\` is \`mnist_c\`, which are corruptions of MNIST, but \`data.kind\` is \`fashion_mnist\` / set \`evaluate.ood=none\`"`,
    );
  });

  it("refuses settings that nothing would use", () => {
    expect(outcome("evaluate.ood_path=files")).toBe("accepted");
    expect(outcome("evaluate.ood=none", "evaluate.ood_path=files")).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood_path\` has no effect: \`evaluate.ood\` is \`none\` / remove \`evaluate.ood_path\`"`,
    );
    expect(outcome("data.kind=image_folder", "evaluate.ood_path=files")).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood_path\` has no effect: \`data.kind\` is \`image_folder\`, and the published files are corruptions of the published images in their order / remove \`evaluate.ood_path\`"`,
    );
    expect(outcome("evaluate.corruptions=all")).toBe("accepted");
    expect(outcome("evaluate.ood=none", "evaluate.corruptions=all")).toMatchInlineSnapshot(
      `"command line: \`evaluate.corruptions\` has no effect: \`evaluate.ood\` is \`none\` / remove \`evaluate.corruptions\`"`,
    );
    expect(outcome("evaluate.frost_textures=frost")).toBe("accepted");
    expect(outcome("evaluate.ood=none", "evaluate.frost_textures=frost")).toMatchInlineSnapshot(
      `"command line: \`evaluate.frost_textures\` has no effect: \`evaluate.ood\` is \`none\` / remove \`evaluate.frost_textures\`"`,
    );
    expect(outcome("evaluate.ood_path=files", "evaluate.frost_textures=frost")).toMatchInlineSnapshot(
      `"command line: \`evaluate.frost_textures\` has no effect: the files of \`evaluate.ood_path\` are read / remove \`evaluate.frost_textures\`"`,
    );
  });
});
