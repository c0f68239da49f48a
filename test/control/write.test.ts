import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readControlFiles } from "../../src/control/read.js";
import { writeControlFile } from "../../src/control/write.js";
import type { OperatorCommand } from "../../src/core/events.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-control-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const commands: OperatorCommand[] = [
  { verb: "pause" },
  { verb: "continue" },
  { verb: "evaluate", at: 7 },
  { verb: "checkpoint" },
  { verb: "unfreeze", at: 1 },
  { verb: "set-lr", factor: 0 },
  { verb: "set-lr", factor: 0.5, at: 9 },
  { verb: "stop" },
];

it("leaves each command whole, and the reader finds it", () => {
  for (const command of commands) {
    const request = { epoch: 3, who: "me", command };
    const id = writeControlFile(folder, request);
    expect(readControlFiles(folder).map((found) => found.request)).toContainEqual({ id, ...request });
  }
  expect(readdirSync(join(folder, "control")).filter((name) => !name.endsWith(".json"))).toEqual([]);
});

it("keeps the order of commands, also of many in one tick of the clock", () => {
  const written = Array.from({ length: 50 }, () =>
    writeControlFile(folder, { epoch: 1, who: "me", command: { verb: "pause" } }),
  );
  expect(new Set(written).size).toBe(50);
  expect(readControlFiles(folder).map((found) => found.request!.id)).toEqual(written);
});
