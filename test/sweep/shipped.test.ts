import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { Contents } from "../../src/sweep/content.js";
import { readSweep } from "../../src/sweep/file.js";
import { planOf } from "../../src/sweep/plan.js";

const ROOT = resolve(import.meta.dirname, "../..");
const data = join(mkdtempSync(join(tmpdir(), "thawline-shipped-")), "data");
for (const part of ["train/cat", "train/dog", "test/cat", "test/dog"]) {
  mkdirSync(join(data, part), { recursive: true });
  writeFileSync(join(data, part, "1.png"), part);
}
mkdirSync(join(data, "encoder"));
writeFileSync(join(data, "encoder", "config.json"), "{}");
writeFileSync(join(data, "xquad.en.json"), "{}");
writeFileSync(join(data, "source.safetensors"), "features");

/** Sweeps of folders of images or texts, which they do not bring along. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  "table3.yaml": [`data.path=${data}`],
  "figure3.yaml": [`data.path=${data}`],
  "transfer-small.yaml": [`data.path=${data}`, `model.weights=${data}/source.safetensors`],
  "cifar10-narrow.yaml": [`data.path=${data}`],
  "xquad-small.yaml": [`data.path=${data}`, `model.pretrained=${data}/encoder`],
  "text-signals.yaml": [`data.path=${data}`, `model.pretrained=${data}/encoder`],
};

const contents = new Contents();
const sweeps = ["configs/sweeps", "docs/results/sweeps"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => [file, join(ROOT, folder, file)] as const),
);

describe.each(sweeps)("%s", (file, path) => {
  it("has a plan at every scale, and every run of it settings of its own", async () => {
    const request = { path, cwd: ROOT, overrides: NEEDED[file] ?? [] };
    const whole = readSweep(request);
    for (const scale of [null, ...Object.keys(whole.file.scales)]) {
      const { runs } = await planOf(readSweep({ ...request, scale }), contents);
      expect(runs.length).toBeGreaterThan(1);
      expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
    }
  });
});
