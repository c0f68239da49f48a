import { resolve } from "node:path";
import type { State } from "../core/state.js";
import { acquireLock, type Lock } from "../journal/lock.js";
import { describeLostTail } from "../journal/lost-tail.js";
import { requireSameCore } from "../journal/replay.js";
import { failpoint } from "../failpoint.js";
import { openJournalWriter, removeUnbegunJournal } from "../journal/writer.js";
import { endProcessesOf } from "../launch/process-group.js";
import { systemClock } from "./clock.js";
import { Faults } from "./faults.js";
import { Term, type TermStart } from "./term.js";
import {
  isOwnFolder,
  refuseCopy,
  watchFolder,
  type FolderIdentity,
  type FolderWatch,
} from "../runs/folder-identity.js";
import { removeTemporaryFoldersOfTheDead } from "../temporary-folder.js";
import { writeOutcome, type Outcome } from "../runs/outcome.js";
import { readPast } from "../runs/past.js";
import { prepareRunFolder } from "../runs/prepare.js";
import type { ControllerOptions } from "./options.js";

export interface ControllerEnd extends Outcome {
  readonly state: State;
}

/**
 * Runs one run to its end: event, reduce, journal, perform. Everything it decides is in `reduce`; everything it does
 * is in the journal first.
 *
 * @throws UserError when the run is in use, damaged, or of another core version
 */
export async function control(given: ControllerOptions): Promise<ControllerEnd> {
  const options = { ...given, runFolder: resolve(given.runFolder) };
  const faults = given.faults ?? new Faults();
  const lock = acquireLock(options.runFolder, options);
  try {
    prepareRunFolder(options.runFolder, (line) => options.onNotice?.(line));
    removeTemporaryFoldersOfTheDead();
    const { create } = options;
    const { start, earlierSeconds } =
      create === null
        ? await reopen(options, lock, faults)
        : { start: begin(options, create, lock, faults), earlierSeconds: 0 };
    const clock = options.clock ?? systemClock;
    const began = clock.now();
    try {
      const state = await Term.run(options, start);
      start.folder.requireSame();
      const wallSeconds = earlierSeconds + (clock.now() - began) / 1000;
      return { state, ...writeOutcome(options.runFolder, state, wallSeconds, options.thawlineVersion) };
    } finally {
      start.writer.close();
    }
  } finally {
    failpoint("lock.releasing");
    lock.release();
  }
}

function begin(
  options: ControllerOptions,
  { run, config }: NonNullable<ControllerOptions["create"]>,
  lock: Lock,
  faults: Faults,
): TermStart {
  const { runFolder } = options;
  removeUnbegunJournal(runFolder);
  const writer = openJournalWriter(runFolder, 0, faults.report, lock.requireHeld);
  const folder = heldFolder(watchFolder(runFolder, null, false), lock);
  return { term: lock.term, run, config, past: null, faults, writer, folder };
}

async function reopen(
  options: ControllerOptions,
  lock: Lock,
  faults: Faults,
): Promise<{ readonly start: TermStart; readonly earlierSeconds: number }> {
  const { state, validBytes, lost, numRecords, folder: before, livedSeconds } = await readPast(options.runFolder);
  requireSameCore(state);
  const { runFolder, asCopy = false } = options;
  if (!asCopy) {
    refuseCopy(runFolder, before);
    await endLeftovers(runFolder, before, state);
  }
  if (lost !== null) options.onNotice?.(`${describeLostTail(lost, numRecords)}; the rest is cut off`);
  const { run, config } = state;
  const writer = openJournalWriter(runFolder, validBytes, faults.report, lock.requireHeld);
  const past = { state, numRecords };
  const folder = heldFolder(watchFolder(runFolder, before, asCopy), lock);
  return { start: { term: lock.term, run, config, past, faults, writer, folder }, earlierSeconds: livedSeconds };
}

/** Whoever looks whether the folder is the same looks too whether it is still ours: a moved folder says so first. */
function heldFolder(watch: FolderWatch, lock: Lock): FolderWatch {
  const requireSame = (): void => {
    watch.requireSame();
    lock.requireHeld();
  };
  return { ...watch, requireSame };
}

/** A controller that was killed may leave its worker dying: two workers must never train one run. */
async function endLeftovers(runFolder: string, before: FolderIdentity | null, { attempt }: State): Promise<void> {
  // What a journal from elsewhere names, in a folder that was copied or moved, may be another run's.
  if (before === null || !isOwnFolder(runFolder, before)) return;
  await endProcessesOf(before.identity, { group: attempt?.process ?? null });
}
