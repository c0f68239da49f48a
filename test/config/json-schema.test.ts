import { describe, expect, it } from "vitest";
import { configJsonSchema, configPaths } from "../../src/config/json-schema.js";

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly oneOf?: readonly Node[];
  readonly required?: readonly string[];
}

describe("configJsonSchema", () => {
  const leaves = (node: Node, path = ""): [string, Node][] =>
    node.properties !== undefined
      ? Object.entries(node.properties).flatMap(([key, child]) => leaves(child, path === "" ? key : `${path}.${key}`))
      : (node.oneOf?.flatMap((kind) => leaves(kind, path)) ?? [[path, node]]);

  it("describes every key", () => {
    const silent = leaves(configJsonSchema() as Node).filter(([, node]) => (node.description ?? "") === "");
    expect(silent).toEqual([]);
  });

  it("requires no key, because a preset may supply it", () => {
    const demanding = JSON.stringify((configJsonSchema() as Node).properties?.["train"]?.required);
    expect(demanding).toBeUndefined();
    expect((configJsonSchema() as Node).required).toBeUndefined();
  });

  it("knows the presets by name", () => {
    expect(configJsonSchema().properties?.["preset"]).toMatchObject({
      enum: [
        "cifar10-resnet18",
        "cifar10-vgg11",
        "cifar100-resnet18",
        "mnist-resnet18",
        "mnli-xlmr-lora",
        "quickstart",
        "squad-xlmr-lora",
        "transfer-small",
        "transfer-source",
        "xquad-small",
      ],
    });
  });
});

it("lists dotted keys with their parents", () => {
  expect(configPaths()).toEqual(
    expect.arrayContaining(["seed", "train", "train.learning_rate", "model.width", "model.batch_norm"]),
  );
});

it("lists a key of several kinds once", () => {
  expect(configPaths().filter((path) => path === "model.kind")).toHaveLength(1);
});
