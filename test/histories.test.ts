import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CORE_VERSION } from "../src/core/state.js";
import { JOURNAL_FILE } from "../src/journal/format.js";
import { readJournal } from "../src/journal/reader.js";
import { verifyJournal } from "../src/journal/replay.js";
import { recordHistories } from "./histories/record.js";

const HISTORIES = join(import.meta.dirname, "histories");
const version = process.env["RECORD_HISTORIES"];
if (version !== undefined) recordHistories(HISTORIES, version);

/** What there must be a history of; scripts/record-histories.mjs runs the real ones. */
const KINDS = [
  "simulated-online",
  "simulated-disturbed",
  "vision-online",
  "vision-fixed",
  "learning-rate-switch",
  "killed-and-resumed",
  "paused-and-continued",
  "text",
  "attached-script",
];

const MOST_BYTES = 600 * 1024;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-history-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const histories = readdirSync(HISTORIES).filter((name) => name.endsWith(".journal"));

describe("histories of earlier versions", () => {
  it.each(histories)("%s reduces to the commands that it holds", async (name) => {
    copyFileSync(join(HISTORIES, name), join(folder, JOURNAL_FILE));
    const { records, validBytes } = await readJournal(folder);
    expect(validBytes).toBe(statSync(join(folder, JOURNAL_FILE)).size);
    const { state, numCommands } = verifyJournal(records);
    expect(state).toMatchObject({ coreVersion: CORE_VERSION, end: { outcome: "finished" } });
    expect(numCommands).toBeGreaterThan(0);
  });

  it.each(KINDS)("there is one of the kind %s", (kind) => {
    expect(histories.filter((name) => name.endsWith(`-${kind}.journal`))).not.toEqual([]);
  });

  it("stay small, all of them together", () => {
    const bytes = histories.reduce((sum, name) => sum + statSync(join(HISTORIES, name)).size, 0);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it.each(histories)("%s names no folder of the machine that recorded it", (name) => {
    expect(readFileSync(join(HISTORIES, name), "utf8")).not.toMatch(/"\/(?!data\/)|\/(home|tmp|root|Users)\//);
  });
});
