import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, inject, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");

test("both codecs make the same of mutated frames", async () => {
  const { stdout } = await execa(
    process.execPath,
    [join(ROOT, "scripts/fuzz/fuzz.mjs"), "--frames", "3000", "--seed", "1"],
    {
      env: { THAWLINE_PYTHON: inject("realPython") },
      reject: false,
    },
  );
  const last = stdout.split("\n").at(-1);
  expect(last).toMatch(/^3000 frames of seed 1: \d+ taken, \d+ refused, 0 differ$/);
  // Enough of both kinds for that to mean anything.
  const [taken, refused] = /(\d+) taken, (\d+) refused/
    .exec(last ?? "")!
    .slice(1)
    .map(Number);
  expect(Math.min(taken!, refused!)).toBeGreaterThan(200);
});
