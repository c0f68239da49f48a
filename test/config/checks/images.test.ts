import { describe, expect, it } from "vitest";
import { outcomeOf } from "../outcome.js";

const outcome = (...overrides: string[]): string => outcomeOf("quickstart", ...overrides);

describe("settings of networks for images", () => {
  it("refuse a checksum of weights that nobody named", () => {
    const sum = `model.weights_sha256=${"ab".repeat(32)}`;
    expect(outcome(sum)).toMatchInlineSnapshot(
      `"command line: \`model.weights_sha256\` has no effect: without \`model.weights\` the seed draws all weights / set \`model.weights\` as well, or leave it out"`,
    );
    expect(outcome("model.weights=/weights", sum)).toBe("accepted");
    expect(outcome("model.weights_head=new")).toContain("`model.weights_head` has no effect");
    expect(outcome("model.weights=/weights", "model.weights_head=new")).toBe("accepted");
    expect(outcome("model.weights_sha256=abc")).toMatchInlineSnapshot(
      `"command line: \`model.weights_sha256\`: expected the 64 hex digits of a SHA-256, got \`abc\` / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
  });

  it("have a stem for ResNet alone", () => {
    expect(outcome("model.stem=imagenet")).toBe("accepted");
    expect(outcomeOf("cifar10-vgg11", "data.path=/data", "model.stem=imagenet")).toMatchInlineSnapshot(
      `"command line: unknown key \`model.stem\` for this \`model.kind\` / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
  });

  it("want a development set to be scored, and something left to train on", () => {
    const development = "evaluate.development=100";
    expect(outcome(development)).toMatchInlineSnapshot(
      `"command line: \`evaluate.development\` keeps images apart, but without \`evaluate.every\` they are never scored / set \`evaluate.every\`, for example to 100, or leave \`evaluate.development\` out"`,
    );
    expect(outcome(development, "evaluate.every=10")).toBe("accepted");
    expect(outcome(development, "evaluate.every=10", "evaluate.keep=best")).toBe("accepted");
    expect(outcome(development, "evaluate.keep=best")).toContain("nobody knows which weights are the best");
    const few = [development, "evaluate.every=10", "data.max_train_examples=2100"];
    expect(outcome(...few)).toMatchInlineSnapshot(`"accepted"`);
    expect(outcome(...few, "probe.points=2000")).toBe("accepted");
    expect(outcomeOf("xquad-small", "data.path=/x", "model.pretrained=/e", development)).toContain(
      "text has a development set of its own",
    );
  });

  it("want as many epochs as are to be evaluated, and their weights at the end", () => {
    const two = ["train.epochs=2", "evaluate.ood_last_epochs=2"];
    expect(outcome(...two)).toBe("accepted");
    expect(outcome("evaluate.ood_last_epochs=2")).toBe("accepted");
    expect(outcome(...two, "evaluate.ood_last_epochs=3")).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood_last_epochs\` is 3, but training has 2 epochs / set it to at most that, or train longer"`,
    );
    expect(outcome("evaluate.ood_last_epochs=1")).toContain("at least 2");
    expect(outcome(...two, "evaluate.ood=none")).toContain("has no effect");
    const best = ["evaluate.development=100", "evaluate.every=10", "evaluate.keep=best"];
    expect(outcome(...two, ...best)).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood_last_epochs\` is about the last weights, but \`evaluate.keep\` is \`best\`: at the end others are tested / set \`evaluate.keep=last\`, or leave it out"`,
    );
  });
});
