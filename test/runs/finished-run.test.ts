import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { composeResults } from "../../src/reading/results.js";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { listedRun, readFinishedRun } from "../../src/runs/finished-run.js";
import { simulateRun } from "../support/journal-builder.js";
import { simulateLongRun } from "../support/long-journal.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-list-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const { records, state } = simulateRun();

function write(journal: readonly JournalRecord[], results: object | string | null): void {
  writeFileSync(join(folder, "journal"), journal.map(encodeRecord).join(""));
  if (results === null) return;
  writeFileSync(join(folder, "results.json"), typeof results === "string" ? results : JSON.stringify(results));
}

describe("a finished run is listed from its results", () => {
  it("as from its journal, whose middle is not read", async () => {
    const long = simulateLongRun(300, "decided");
    write(long.records, composeResults(long.state, 1));
    const expected = listedRun(long.state, folder);
    expect(expected).toMatchObject({ status: "finished", updates: 3000, of: 3000, k: { source: "online" } });
    expect(await readFinishedRun(folder)).toEqual(expected);
    const lines = long.records.map(encodeRecord);
    const half = lines.length >> 1;
    lines[half] = `${"x".repeat(lines[half]!.length - 1)}\n`;
    writeFileSync(join(folder, "journal"), lines.join(""));
    expect(await readFinishedRun(folder)).toEqual(expected);
  });

  it("only where they are known to be this run's, and its last word", async () => {
    const results = composeResults(state, 1);
    const started = (n: number): JournalRecord => {
      return { ...records[1]!, n, term: 2, event: { type: "controller/started", term: 2, pid: 1, host: "here" } };
    };
    const cases: [string, readonly JournalRecord[], object | string | null][] = [
      ["no results", records, null],
      ["half of them", records, JSON.stringify(results).slice(0, 80)],
      ["another run's", records, { ...results, run: "other" }],
      ["of a time when it was stopped", records, { ...results, outcome: "stopped" }],
      ["the journal has no end yet", records.slice(0, -1), results],
      ["it was taken up again", [...records, started(records.length + 1)], results],
      ["no journal", [], results],
    ];
    for (const [, journal, told] of cases) {
      rmSync(join(folder, "results.json"), { force: true });
      write(journal, told);
      expect(await readFinishedRun(folder)).toBeNull();
    }
    write(records, results);
    expect(await readFinishedRun(folder)).toEqual(listedRun(state, folder));
    const torn = `${records.map(encodeRecord).join("")}deadbeef {`;
    writeFileSync(join(folder, "journal"), torn);
    expect(await readFinishedRun(folder)).toEqual(listedRun(state, folder));
    writeFileSync(join(folder, "journal"), torn.replace("run/finish", "run/Finish"));
    expect(await readFinishedRun(folder)).toBeNull();
  });
});
