import type { JournalRecord } from "../journal/format.js";
import { scanJournal } from "../journal/reader.js";
import { Replay, type ReplayedRun } from "../journal/replay.js";
import { FolderHistory, type FolderIdentity } from "./folder-identity.js";
import { LivedSeconds } from "./lived-seconds.js";

/** A run as its journal tells it, to whoever goes on with it or completes what it left. */
export interface PastRun extends ReplayedRun {
  /** Length of the part of the journal that is whole. */
  readonly validBytes: number;
  /** What the newest controller noted of the run folder. */
  readonly folder: FolderIdentity | null;
  readonly livedSeconds: number;
}

/**
 * Reads the journal in a run folder once, and keeps none of its records.
 * @throws UserError as `readJournal` and `replayJournal` do
 */
export async function readPast(runFolder: string): Promise<PastRun> {
  const replay = new Replay();
  const history = new FolderHistory();
  const lived = new LivedSeconds();
  const { validBytes, lost } = await scanJournal(runFolder, (records: readonly JournalRecord[]) => {
    replay.take(records);
    history.take(records);
    lived.take(records);
  });
  const { numRecords, numCommands } = replay;
  const past = { state: replay.end(), numRecords, numCommands, lost };
  return { ...past, validBytes, folder: history.folder, livedSeconds: lived.seconds };
}
