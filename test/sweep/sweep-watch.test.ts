import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claim } from "../../src/claims/claim.js";
import { encodeRecord, type JournalRecord } from "../../src/journal/format.js";
import { composeResults } from "../../src/reading/results.js";
import { SweepWatch } from "../../src/sweep/sweep-watch.js";
import { FAILURE, notesFolderOf, openSweepFolder, runFolderOf, TAKEN } from "../../src/sweep/sweep-folder.js";
import { simulateRun, type RecordedRun } from "../support/journal-builder.js";
import { planned } from "./sweep-file.js";

const SIXTY = await planned(
  "base: quickstart\nseeds: 60\nconditions: { standard: { set: { intervention.kind: none } } }\n",
);
const WHOLE = simulateRun();

function begun(): string {
  const folder = join(mkdtempSync(join(tmpdir(), "thawline-watch-")), "sweep");
  openSweepFolder(folder, SIXTY, "0.1.0");
  return folder;
}

function journal(folder: string, id: string, records: readonly JournalRecord[]): void {
  mkdirSync(runFolderOf(folder, id), { recursive: true });
  writeFileSync(join(runFolderOf(folder, id), "journal"), records.map(encodeRecord).join(""));
}

function finish(folder: string, id: string, { records, state }: RecordedRun = WHOLE): void {
  journal(folder, id, records);
  writeFileSync(join(runFolderOf(folder, id), "results.json"), JSON.stringify(composeResults(state, 30)));
}

describe("watching a sweep", () => {
  const ids = SIXTY.runs.map(({ id }) => id);

  it("tells how each run stands, how far it is, and how long it still takes", async () => {
    const folder = begun();
    finish(folder, ids[0]!);
    for (const place of [1, 3]) mkdirSync(notesFolderOf(folder, ids[place]!), { recursive: true });
    TAKEN.write(folder, ids[1]!, { from: ids[0]! });
    const half = WHOLE.records.filter((_, index) => index < WHOLE.records.length / 2);
    journal(folder, ids[2]!, half);
    const held = claim(notesFolderOf(folder, ids[2]!))!;
    FAILURE.write(folder, ids[3]!, { call: "a", times: 1, message: "no room", output: "" });
    const { runs, score } = await new SweepWatch(folder).look(Date.now());
    held.release();
    expect(score).toBe("ood/mean");
    expect(runs.slice(0, 5).map(({ standing }) => standing)).toEqual([
      "finished",
      "taken",
      "running",
      "failed",
      "pending",
    ]);
    expect(runs[0]).toMatchObject({ seconds: 30, k: { value: WHOLE.state.interval!.k } });
    expect(runs[1]).toMatchObject({ takenFrom: ids[0], folder: runFolderOf(folder, ids[0]!), k: { source: "fixed" } });
    expect(runs[3]!.failure).toBe("no room");
    expect(runs[4]!.secondsLeft).toBe(30);
    const { step, of, secondsLeft } = runs[2]!;
    expect(step).toBeGreaterThan(0);
    expect(secondsLeft).toBeCloseTo(30 * (1 - step! / of!));
  });

  it("reads nothing again of what is done or not taken up, and of a journal only what has come", async () => {
    const folder = begun();
    for (const id of ids.slice(0, 30)) finish(folder, id);
    const held = [30, 31].map((place) => claim(notesFolderOf(folder, ids[place]!))!);
    journal(folder, ids[30]!, WHOLE.records.slice(0, 40));
    const watch = new SweepWatch(folder);
    await watch.look(0);
    const first = watch.numRead;
    await watch.look(1);
    const second = watch.numRead;
    held[0]!.release();
    finish(folder, ids[30]!);
    const { runs } = await watch.look(2);
    held[1]!.release();
    expect([first, second]).toEqual([60, 2]);
    expect(runs[30]!.standing).toBe("finished");
    await watch.look(3);
    await watch.look(4);
    expect(watch.numRead).toBe(0);
  });

  it("sees a run that is taken up after it had been looked at", async () => {
    const folder = begun();
    const watch = new SweepWatch(folder);
    await watch.look(0);
    const held = claim(notesFolderOf(folder, ids[7]!))!;
    expect((await watch.look(1)).runs[7]!.standing).toBe("running");
    held.release();
  });
});
