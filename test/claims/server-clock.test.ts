import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { serverTime, silenceOf } from "../../src/claims/server-clock.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-clock-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** A reading is carried on for a while; this is later. */
function later(): void {
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
  vi.advanceTimersByTime(60_000);
}

it("is the clock by which files are written, and leaves no file", () => {
  later();
  writeFileSync(join(folder, "before"), "");
  const { mtimeMs } = statSync(join(folder, "before"));
  const now = serverTime(folder)!;
  expect(now).toBeGreaterThanOrEqual(mtimeMs);
  writeFileSync(join(folder, "after"), "");
  expect(now).toBeLessThanOrEqual(statSync(join(folder, "after")).mtimeMs);
  expect(readdirSync(folder).sort()).toEqual(["after", "before"]);
});

it("is read once for many looks, and carried on by the monotonic clock", () => {
  later();
  const first = serverTime(folder)!;
  vi.setSystemTime(0);
  const folderBefore = statSync(folder).ctimeMs;
  vi.advanceTimersByTime(5000);
  expect(serverTime(folder)! - first).toBeCloseTo(5000, 0);
  // Nothing was written for it.
  expect(statSync(folder).ctimeMs).toBe(folderBefore);
});

it("is not known where there is no folder; then another time may stand in", () => {
  expect(serverTime(join(folder, "none"))).toBeNull();
  expect(silenceOf(join(folder, "none", "claim.1"), null)).toBeNull();
  expect(silenceOf(join(folder, "claim.1"), 5)).toBeNull();
});
