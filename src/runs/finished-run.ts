import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import { readHead, readTail } from "../journal/reader.js";
import { completedUpdates, type Results } from "../reading/results.js";
import { runStatus } from "./list.js";
import { RESULTS_FILE } from "./outcome.js";

/** What a list says of a run. */
export interface ListedRun {
  readonly run: string;
  readonly status: string;
  readonly updates: number;
  /** Null where the end is unknown. */
  readonly of: number | null;
  readonly k: { readonly value: number; readonly source: string } | null;
}

/** Of a run whose journal was reduced. */
export function listedRun(state: State, runFolder: string): ListedRun {
  const { run, interval, model } = state;
  return {
    run,
    status: runStatus(state, runFolder),
    updates: completedUpdates(state),
    of: model?.numUpdates ?? null,
    k: interval === null ? null : { value: interval.k, source: interval.source },
  };
}

/**
 * Of a run that has finished, from `results.json` and without its journal, which may be long. The file is known to be
 * that run's by the journal's two ends: it names the run that the first record creates, and a run whose last records say
 * that it finished does nothing after that, so that results which say so too were written by then. Null in all other
 * cases, in which the journal is reduced: another run's results, none, older ones, a run that has not finished.
 */
export async function readFinishedRun(runFolder: string): Promise<ListedRun | null> {
  const results = readResults(runFolder);
  if (results?.outcome !== "finished") return null;
  try {
    if (!hasFinished(await readTail(runFolder))) return null;
    const head = await readHead(runFolder);
    const created = head[0]?.event;
    const prepared = head.flatMap(({ event }) => (event.type === "worker/prepared" ? [event.body] : []))[0];
    if (created?.type !== "run/created" || created.run !== results.run || prepared === undefined) return null;
    const { run, updates, k } = results;
    const of = prepared.num_updates;
    return { run, status: "finished", updates, of, k: k === null ? null : { value: k.value, source: k.source } };
  } catch {
    // What is wrong with the journal is said by whoever reads all of it.
    return null;
  }
}

export function readResults(runFolder: string): Results | null {
  try {
    return JSON.parse(readFileSync(join(runFolder, RESULTS_FILE), "utf8")) as Results | null;
  } catch {
    return null;
  }
}

/** Whether a run has ended as finished and no controller has taken it up since. */
function hasFinished(last: readonly JournalRecord[]): boolean {
  const ends = last.flatMap(({ event, commands = [] }) => {
    if (event.type === "controller/started") return ["goes on"];
    return commands.flatMap((command) => (command.type === "run/finish" ? [command.end.outcome] : []));
  });
  return ends.at(-1) === "finished";
}
