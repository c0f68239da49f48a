import { resolve } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

/** Paths in the package that npm would make, without the files that stand in a folder for the same reason. */
async function packedPaths(): Promise<string[]> {
  const { stdout } = await execa("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const ofAKind = (path: string): string =>
    path.replace(/^(dist)\/.+\.js$/, "$1/*.js").replace(/^(python\/thawline)\/.+\.py$/, "$1/*.py");
  return [...new Set(files.map(({ path }) => ofAKind(path)))].sort();
}

it("holds what a user needs and nothing else", async () => {
  expect(await packedPaths()).toMatchInlineSnapshot(`
    [
      "LICENSE",
      "README.md",
      "assets/report/chart.js",
      "assets/report/memory.js",
      "assets/report/page.css",
      "assets/report/page.js",
      "assets/report/parts.js",
      "assets/report/scale.js",
      "configs/cifar10-resnet18.yaml",
      "configs/cifar10-vgg11.yaml",
      "configs/cifar100-resnet18.yaml",
      "configs/mnist-resnet18.yaml",
      "configs/mnli-xlmr-lora.yaml",
      "configs/quickstart.yaml",
      "configs/schema.json",
      "configs/squad-xlmr-lora.yaml",
      "configs/sweeps/figure1.yaml",
      "configs/sweeps/figure2.yaml",
      "configs/sweeps/figure3.yaml",
      "configs/sweeps/figure4.yaml",
      "configs/sweeps/figure5.yaml",
      "configs/sweeps/figure7.yaml",
      "configs/sweeps/schema.json",
      "configs/sweeps/section64.yaml",
      "configs/sweeps/table1.yaml",
      "configs/sweeps/table2.yaml",
      "configs/sweeps/table3.yaml",
      "configs/sweeps/table4-and-7.yaml",
      "configs/sweeps/transfer-small.yaml",
      "configs/transfer-small.yaml",
      "configs/transfer-source.yaml",
      "configs/xquad-small.yaml",
      "dist/*.js",
      "package.json",
      "python/modules.json",
      "python/thawline/*.py",
      "python/thawline/data/files.json",
      "python/thawline/py.typed",
      "requirements-text.lock",
      "requirements.lock",
      "scripts/bootstrap.mjs",
      "scripts/e5_file.py",
      "scripts/prepare-encoder.py",
      "scripts/python.mjs",
      "scripts/stamps.mjs",
      "scripts/step.mjs",
    ]
  `);
});
