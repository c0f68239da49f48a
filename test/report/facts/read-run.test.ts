import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRun } from "../../../src/report/facts/read-run.js";
import { historyRun } from "../../support/history-run.js";

describe("readRun", () => {
  it("tells of a whole journal without a note", async () => {
    const run = await readRun(historyRun("vision-online"));
    expect(run).toMatchObject({ status: "finished", notes: [], results: { outcome: "finished" } });
    expect(run.attempts).toHaveLength(1);
    expect(run.judgements.length).toBeGreaterThan(0);
  });

  it("knows every attempt of a run that was killed", async () => {
    const run = await readRun(historyRun("killed-and-resumed"));
    expect(run.attempts.map(({ number }) => number)).toEqual([1, 2]);
    expect(run.attempts[1]!.resumedFrom).toBeGreaterThan(0);
  });

  it("uses a journal that was cut off up to there, and says so", async () => {
    const folder = historyRun("vision-online");
    const path = join(folder, "journal");
    const whole = await readRun(folder);
    truncateSync(path, Math.floor(readFileSync(path).length / 2));
    const run = await readRun(folder);
    expect(run.numRecords).toBeLessThan(whole.numRecords);
    expect(run.notes).toEqual([
      `the journal ends in the middle of a record: what is told here ends with record ${run.numRecords}`,
    ]);
  });

  it("uses what stands in front of damage, and says so", async () => {
    const folder = historyRun("vision-online");
    const path = join(folder, "journal");
    const lines = readFileSync(path, "utf8").split("\n");
    lines[20] = lines[20]!.replace("{", "[");
    writeFileSync(path, lines.join("\n"));
    const run = await readRun(folder);
    expect(run.numRecords).toBe(20);
    expect(run.notes[0]).toMatch(/^the journal is damaged at byte \d+.*: what is told here ends with record 20$/);
  });

  it("believes the journal and not results that were edited", async () => {
    const folder = historyRun("vision-online");
    const { results } = await readRun(folder);
    const path = join(folder, "results.json");
    writeFileSync(path, JSON.stringify({ ...results, wall_seconds: results.wall_seconds + 1 }));
    expect((await readRun(folder)).notes).toEqual([]);
    writeFileSync(path, JSON.stringify({ ...results, updates: results.updates + 1 }));
    const run = await readRun(folder);
    expect(run.results.updates).toBe(results.updates);
    expect(run.notes).toEqual(["`results.json` says something else than the journal in `updates`: the journal stands"]);
  });

  it("refuses a folder without a journal", async () => {
    await expect(readRun("/nonexistent")).rejects.toMatchObject({ code: "no_journal" });
  });
});
