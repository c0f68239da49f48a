import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
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
    const { records, validBytes, totalBytes } = await readJournal(folder);
    expect(validBytes).toBe(totalBytes);
    const { state, numCommands } = verifyJournal(records);
    expect(state).toMatchObject({ coreVersion: CORE_VERSION, end: { outcome: "finished" } });
    expect(numCommands).toBeGreaterThan(0);
  });

  it("are there", () => {
    expect(histories).toEqual(["v0.1.0-simulated-disturbed.journal", "v0.1.0-simulated-online.journal"]);
  });
});
