import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { UserError } from "../../src/errors.js";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { withGivenWeights } from "../../src/runs/given-weights.js";
import { quickstartConfig, simulateRun } from "../support/journal-builder.js";
import { simulatedConfig, simulatedTextConfig, SimulatedRun } from "../support/simulated-run.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-weights-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");

const configOf = (weights: string, ...overrides: string[]) =>
  loadConfig({ source: "quickstart", overrides: [`model.weights=${weights}`, ...overrides], env: {}, cwd: folder });

/** The two keys as a run would have them, or the sentence of what is refused. */
async function settled(weights: string, ...overrides: string[]): Promise<unknown> {
  try {
    const { model } = await withGivenWeights(configOf(weights, ...overrides));
    return "weights" in model ? { weights: model.weights, weights_sha256: model.weights_sha256 } : null;
  } catch (error) {
    if (error instanceof UserError) return `${error.code}: ${error.message.replaceAll(folder, "FOLDER")}`;
    throw error;
  }
}

/** A folder under `folder` with weights of that content, sealed as the worker does; its manifest's SHA-256. */
function seal(path: string, content: string): string {
  mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, path, "model.safetensors"), content);
  const files = { "model.safetensors": { bytes: content.length, sha256: sha256(content) } };
  const manifest = JSON.stringify({ format: 1, step: 1, files });
  writeFileSync(join(folder, path, "manifest.json"), manifest);
  return sha256(manifest);
}

/** Every checkpoint of the journal, and what was kept as the best, gets weights that name it. Their paths, in order. */
function writeRun({ records } = simulateRun({ config: quickstartConfig("checkpoint.every=100") })): readonly string[] {
  const paths: string[] = [];
  const sealed = records.map((record): JournalRecord => {
    const { event } = record;
    if (event.type !== "worker/checkpointed" && event.type !== "worker/kept") return record;
    const { path } = event.body;
    paths.push(path);
    const body = { ...event.body, manifest_sha256: seal(path, `weights ${path}`) };
    return { ...record, event: { ...event, body } };
  });
  writeFileSync(join(folder, "journal"), sealed.map(encodeRecord).join(""));
  return paths;
}

const fileOf = (path: string) => {
  return {
    weights: join(folder, path, "model.safetensors"),
    weights_sha256: sha256(`weights ${path}`),
  };
};

describe("the weights that a network begins with", () => {
  it("are a file, relative to what names it, and known by what is in it from then on", async () => {
    writeFileSync(join(folder, "given.safetensors"), "weights");
    const file = { weights: join(folder, "given.safetensors"), weights_sha256: sha256("weights") };
    expect(await settled("given.safetensors")).toEqual(file);
    expect(await settled("given.safetensors", `model.weights_sha256=${sha256("weights")}`)).toEqual(file);
    expect(await settled("given.safetensors", `model.weights_sha256=${"ab".repeat(32)}`)).toBe(
      `changed_weights: \`FOLDER/given.safetensors\` is not the file that \`model.weights_sha256\` names: its SHA-256 is ${sha256("weights")}`,
    );
    expect(await settled("other.safetensors")).toBe(
      "missing_weights: `model.weights` names `FOLDER/other.safetensors`, which does not exist",
    );
    expect(await withGivenWeights(quickstartConfig())).toEqual(quickstartConfig());
  });

  it("are of a run's folder its newest checkpoint that is what the journal says", async () => {
    const paths = writeRun();
    expect(paths.length).toBeGreaterThan(2);
    const [before, last] = paths.slice(-2) as [string, string];
    expect(await settled(".")).toEqual(fileOf(last));
    writeFileSync(join(folder, last, "model.safetensors"), "other weights");
    expect(await settled(".")).toEqual(fileOf(before));
    // Neither a whole folder under another manifest, nor one that is gone.
    seal(before, "weights of another run");
    for (const path of paths.slice(0, -2)) rmSync(join(folder, path), { recursive: true, force: true });
    expect(await settled(".")).toBe(
      "missing_weights: `model.weights` names `FOLDER`, a run that has no whole checkpoint",
    );
  });

  it("are of a run that leaves its best weights those, and its newest checkpoint where they are gone", async () => {
    const best = ["evaluate.development=100", "evaluate.every=9", "evaluate.keep=best"];
    const paths = writeRun(new SimulatedRun(simulatedConfig(...best)).finish());
    const kept = paths.filter((path) => path.startsWith("best/")).at(-1)!;
    expect(await settled(".")).toEqual(fileOf(kept));
    rmSync(join(folder, kept), { recursive: true });
    expect(await settled(".")).toEqual(fileOf(paths.filter((path) => path.startsWith("checkpoints/")).at(-1)!));
  });

  it("are of no other folder", async () => {
    expect(await settled(".")).toBe(
      "missing_weights: `model.weights` names the folder `FOLDER`, which is not that of a run",
    );
    const text = new SimulatedRun(simulatedTextConfig()).finish();
    writeFileSync(join(folder, "journal"), text.records.map(encodeRecord).join(""));
    expect(await settled(".")).toBe(
      "missing_weights: `model.weights` names `FOLDER`, a run that trains no network for images by itself",
    );
  });
});
