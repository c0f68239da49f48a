import { resolve } from "node:path";
import type { State } from "../core/state.js";
import { acquireLock } from "../journal/lock.js";
import { readJournal } from "../journal/reader.js";
import { replayJournal, requireSameCore } from "../journal/replay.js";
import { openJournalWriter } from "../journal/writer.js";
import { endProcessGroup } from "../launch/process-group.js";
import { Epoch, type EpochStart } from "./epoch.js";
import { livedSeconds } from "./lived-seconds.js";
import { writeOutcome } from "./outcome.js";
import type { ControllerOptions } from "./options.js";
import type { Results } from "../core/results.js";

export interface ControllerEnd {
  readonly state: State;
  readonly results: Results;
}

/**
 * Runs one run to its end: event, reduce, journal, perform. Everything it decides is in `reduce`; everything it does
 * is in the journal first.
 *
 * @throws UserError when the run is in use, damaged, or of another core version
 */
export async function control(given: ControllerOptions): Promise<ControllerEnd> {
  const options = { ...given, runFolder: resolve(given.runFolder) };
  const lock = acquireLock(options.runFolder, options.takeover ?? false);
  try {
    const { create } = options;
    const { start, earlierSeconds } =
      create === null
        ? await reopen(options, lock.epoch)
        : { start: begin(options, create, lock.epoch), earlierSeconds: 0 };
    const began = performance.now();
    try {
      const state = await Epoch.run(options, start);
      const wallSeconds = earlierSeconds + (performance.now() - began) / 1000;
      return { state, results: writeOutcome(options.runFolder, state, wallSeconds, options.thawlineVersion) };
    } finally {
      start.writer.close();
    }
  } finally {
    lock.release();
  }
}

function begin(
  options: ControllerOptions,
  { run, config }: NonNullable<ControllerOptions["create"]>,
  epoch: number,
): EpochStart {
  return { epoch, run, config, past: null, writer: openJournalWriter(options.runFolder, 0) };
}

async function reopen(
  options: ControllerOptions,
  epoch: number,
): Promise<{ readonly start: EpochStart; readonly earlierSeconds: number }> {
  const { records, validBytes } = await readJournal(options.runFolder);
  const state = replayJournal(records);
  requireSameCore(state);
  await endLeftovers(state);
  const { run, config } = state;
  const writer = openJournalWriter(options.runFolder, validBytes);
  const past = { state, numRecords: records.length };
  return { start: { epoch, run, config, past, writer }, earlierSeconds: livedSeconds(records) };
}

/** A controller that was killed may leave its worker dying: two workers must never train one run. */
async function endLeftovers({ attempt }: State): Promise<void> {
  if (attempt?.pid == null || attempt.startTime === null) return;
  await endProcessGroup({ pid: attempt.pid, startTime: attempt.startTime });
}
