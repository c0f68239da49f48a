import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeDone, ProgressBar } from "../../src/verbs/prefetch.js";

const ROOT = resolve(import.meta.dirname, "../..");

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-prefetch-")));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function prefetch(...overrides: string[]): Promise<string> {
  const settings = ["data.max_train_examples=2", "probe.points=2", "train.batch_size=2", "device.threads=1"];
  const result = await execa(
    process.execPath,
    [join(ROOT, "dist/cli.js"), "prefetch", "quickstart", ...settings, ...overrides],
    { cwd: folder, env: { THAWLINE_CACHE: join(folder, "cache"), FORCE_COLOR: "0" }, reject: false },
  );
  const seen = [`exit code ${result.exitCode ?? "none"}`, result.stdout, "--- stderr", result.stderr];
  return seen.join("\n").replaceAll(folder, "CWD");
}

describe("npx thawline prefetch", () => {
  it("makes the test sets once, a line for each in a pipe", async () => {
    const first = await prefetch("evaluate.images_per_corruption=3");
    expect(first).toContain(
      "exit code 0\n15 test sets of 3 images are in `CWD/cache`\n--- stderr\n0 of 15 test sets made",
    );
    expect(first).toMatch(/\n15 of 15 test sets made$/);
    expect(readdirSync(join(folder, "cache", "mnist_c"))).toHaveLength(30);
    expect(await prefetch("evaluate.images_per_corruption=3")).toMatchInlineSnapshot(`
      "exit code 0
      15 test sets of 3 images are in \`CWD/cache\`
      --- stderr
      "
    `);
  });

  it("says what is wrong with files as a run would", async () => {
    mkdirSync(join(folder, "mnist_c", "fog"), { recursive: true });
    writeFileSync(join(folder, "mnist_c", "fog", "test_images.npy"), "");
    expect(await prefetch("evaluate.ood_path=.")).toMatch(
      /^exit code 2\n\n--- stderr\nerror: the MNIST-C folder CWD\/mnist_c lacks shot_noise\/test_images.npy, /,
    );
  });
});

describe("ProgressBar", () => {
  function draw(isTTY: boolean, ...counts: [made: number, missing: number][]): string {
    let written = "";
    const bar = new ProgressBar({ isTTY, write: (text: string | Uint8Array) => ((written += String(text)), true) });
    for (const [made, missing] of counts) bar.show(made, missing);
    bar.end();
    return written;
  }

  it("is one line in a terminal, drawn over itself and ended once", () => {
    expect(draw(true, [0, 75], [38, 75], [75, 75])).toBe(
      `\r[${"-".repeat(30)}] 0 of 75 test sets made` +
        `\r[${"#".repeat(15)}${"-".repeat(15)}] 38 of 75 test sets made` +
        `\r[${"#".repeat(30)}] 75 of 75 test sets made\n`,
    );
  });

  it("is a line for each set elsewhere", () => {
    expect(draw(false, [0, 1], [1, 1])).toBe("0 of 1 test set made\n1 of 1 test set made\n");
  });

  it("is nothing where nothing is missing", () => {
    expect(draw(true, [0, 0])).toBe("");
    expect(draw(false, [0, 0])).toBe("");
  });
});

describe("describeDone", () => {
  const done = { num_sets: 75, num_images: 10_000, regenerated: true, left_out: {}, made_with: {}, folder: "/cache" };

  it("tells of work that was needless, and of what will not count", () => {
    expect(describeDone({ ...done, num_sets: 0 })).toBe("there is nothing to make: `evaluate.ood` is `none`");
    expect(describeDone({ ...done, regenerated: false })).toMatchInlineSnapshot(
      `"there is nothing to make: the 75 test sets of 10 000 images are published files"`,
    );
    expect(describeDone({ ...done, left_out: { frost: "no textures" } })).toMatchInlineSnapshot(
      `"75 test sets of 10 000 images are in \`/cache\`; frost will not count: no textures"`,
    );
    expect(describeDone({ ...done, made_with: { frost: "pictures of somewhere" } })).toMatchInlineSnapshot(
      `"75 test sets of 10 000 images are in \`/cache\`; frost has pictures of somewhere"`,
    );
  });
});
