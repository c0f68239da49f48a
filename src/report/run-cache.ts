import { statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { JOURNAL_FILE } from "../journal/format.js";
import { readRun } from "./facts/read-run.js";
import type { RunFacts } from "./facts/run-facts.js";

/** A run that cannot be told of. */
export interface UnreadRun {
  readonly folder: string;
  readonly why: string;
}

export interface ReadRuns {
  readonly runs: readonly RunFacts[];
  readonly unread: readonly UnreadRun[];
}

/** Runs as last read: a journal is read again only where it has changed. */
export class RunCache {
  readonly #known = new Map<string, { readonly version: string; readonly run: RunFacts }>();
  /** Journals that were read, all in all. */
  numRead = 0;

  /** Changes whenever a journal that was read does. */
  get version(): string {
    return [...this.#known].map(([folder, { version }]) => `${folder} ${version}`).join();
  }

  /**
   * One journal after the other, so that no more than one is in memory at a time.
   *
   * @throws UserError where none of them can be read: what is wrong with the first
   */
  async read(folders: readonly string[]): Promise<ReadRuns> {
    const runs: RunFacts[] = [];
    const unread: UnreadRun[] = [];
    let first: UserError | null = null;
    for (const folder of folders) {
      try {
        runs.push(await this.#readOne(folder));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        first ??= error;
        unread.push({ folder, why: error.message });
      }
    }
    if (runs.length === 0 && first !== null) throw first;
    return { runs, unread };
  }

  async #readOne(folder: string): Promise<RunFacts> {
    const version = journalVersion(folder);
    const known = this.#known.get(folder);
    // A run that has no end may have died since, without another word in its journal.
    if (known?.version === version && known.run.state.end !== null) return known.run;
    this.numRead += 1;
    const run = await readRun(folder);
    this.#known.set(folder, { version, run });
    return run;
  }
}

/** Changes whenever the journal does. */
function journalVersion(folder: string): string {
  const { size = 0, mtimeMs = 0 } = statSync(join(folder, JOURNAL_FILE), { throwIfNoEntry: false }) ?? {};
  return `${size}:${mtimeMs}`;
}
