import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { encodeRecord, JOURNAL_FILE, type JournalRecord } from "../../src/journal/format.js";
import type { MetricValue } from "../../src/protocol/messages.js";
import { writeOutcome } from "../../src/runs/outcome.js";
import { quickstartConfig, simulateRun } from "./journal-builder.js";

/**
 * How a long run goes: `decided` finds k early and measures on, `open` swings too much ever to find it, `rising` sets new
 * largest values all along, and so rescales all that came before.
 */
export type LongRun = "decided" | "open" | "rising";

const SIGNALS: Readonly<Record<LongRun, ((point: number) => MetricValue) | undefined>> = {
  decided: undefined,
  open: (point) => 0.06 + 0.02 * Math.sin(point * 1.7) + 0.004 * Math.sin(point * 0.013),
  rising: (point) => (1 + point) * (1 + 0.3 * Math.sin(point * 1.7)),
};

/** Updates between two boundaries. */
const EVERY = 10;

/**
 * The journal of a long run, record by record: a boundary with one metric every 10 updates, one record of progress
 * before each, a checkpoint every 500 updates. Its records are made by the reducer, so that they are a run's.
 */
export function simulateLongRun(points: number, kind: LongRun, onRecord?: (record: JournalRecord) => void) {
  const updates = points * EVERY;
  const config = quickstartConfig(
    `train.updates=${updates}`,
    `probe.every=${EVERY}`,
    "probe.until=end",
    "checkpoint.every=500",
    "evaluate.ood=none",
    ...(kind === "decided" ? [] : [`intervention.k_max=${updates}`]),
  );
  const signal = SIGNALS[kind];
  return simulateRun({ config, ...(signal && { signal }), ...(onRecord && { onRecord }) });
}

/** How many of the last boundaries are timed. */
const TIMED = 1000;

/** Processor seconds that the reducer takes at one of the last boundaries of a long run, its progress included. */
export function boundarySeconds(points: number, kind: LongRun): number {
  const times: number[] = [];
  simulateLongRun(points, kind, ({ event }) => {
    if (event.type === "worker/reachedBoundary") times.push(process.cpuUsage().user / 1e6);
  });
  const last = times.slice(-TIMED);
  return (last.at(-1)! - last[0]!) / (last.length - 1);
}

/** Writes the journal of a long run into a new folder, and what it came to; returns how many records it has. */
export function writeLongJournal(folder: string, points: number, kind: LongRun, withResults = false): number {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, JOURNAL_FILE), "w");
  let numRecords = 0;
  let lines: string[] = [];
  const flush = (): void => {
    writeSync(file, lines.join(""));
    lines = [];
  };
  try {
    const { state } = simulateLongRun(points, kind, (record) => {
      numRecords += 1;
      lines.push(encodeRecord(record));
      if (lines.length === 1000) flush();
    });
    flush();
    if (withResults) writeOutcome(folder, state, 1, "0");
  } finally {
    closeSync(file);
  }
  return numRecords;
}
