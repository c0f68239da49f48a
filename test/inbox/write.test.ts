import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Inbox } from "../../src/inbox/inbox.js";
import { writeRequestFile } from "../../src/inbox/write.js";
import type { OperatorRequest } from "../../src/core/events.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-control-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const requests: OperatorRequest[] = [
  { verb: "pause" },
  { verb: "continue" },
  { verb: "evaluate", at: 7 },
  { verb: "checkpoint" },
  { verb: "unfreeze", at: 1 },
  { verb: "set-lr", factor: 0 },
  { verb: "set-lr", factor: 0.5, at: 9 },
  { verb: "stop" },
];

it("leaves each request whole, and the reader finds it", async () => {
  for (const request of requests) {
    const file = { term: 3, who: "me", request };
    const id = writeRequestFile(folder, file);
    expect((await new Inbox(folder).look()).map((found) => found.file)).toContainEqual({ id, ...file });
  }
  expect(readdirSync(join(folder, "inbox")).filter((name) => !name.endsWith(".json"))).toEqual([]);
});

it("keeps the order of requests, also of many in one tick of the clock", async () => {
  const written = Array.from({ length: 50 }, () =>
    writeRequestFile(folder, { term: 1, who: "me", request: { verb: "pause" } }),
  );
  expect(new Set(written).size).toBe(50);
  expect((await new Inbox(folder).look()).map((found) => found.file!.id)).toEqual(written);
});

it("makes no run folder where there is none any more", () => {
  const gone = join(folder, "gone");
  expect(() => writeRequestFile(gone, { term: 1, who: "me", request: { verb: "stop" } })).toThrow(/ENOENT/);
  expect(existsSync(gone)).toBe(false);
});

it("a view loads no library of schemas, which would take a tenth of its start", async () => {
  vi.resetModules();
  const load = vi.fn(() => ({ z: {} }));
  vi.doMock("zod", load);
  try {
    await import("../../src/verbs/watch.js");
    expect(load).not.toHaveBeenCalled();
  } finally {
    vi.doUnmock("zod");
    vi.resetModules();
  }
});
