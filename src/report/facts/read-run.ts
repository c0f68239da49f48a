import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../../core/state.js";
import { UserError } from "../../errors.js";
import { JOURNAL_FILE } from "../../journal/format.js";
import { describeLostTail } from "../../journal/lost-tail.js";
import { scanEvents } from "../../journal/reader.js";
import { composeResults, type Results } from "../../reading/results.js";
import { runStatus } from "../../runs/list.js";
import { RESULTS_FILE } from "../../runs/outcome.js";
import type { Manifest } from "../../runs/manifest.js";
import type { RunFacts } from "./run-facts.js";
import { RunRecorder } from "./run-recorder.js";

const MANIFEST_FILE = "manifest.json";

/**
 * Reads the journal in a run folder once, as far as it can be read, and looks at what stands beside it.
 *
 * @throws UserError where not even a beginning can be read: `no_journal`, `damaged_journal`, `empty_journal`, `foreign_record`
 */
export async function readRun(folder: string): Promise<RunFacts> {
  const recorder = new RunRecorder();
  const notes: string[] = [];
  try {
    const { validBytes, lost } = await scanEvents(folder, (records) => recorder.take(records));
    if (lost !== null) notes.push(describeLostTail(lost, recorder.numRecords));
    else if (isTorn(folder, validBytes)) notes.push(tornNote(recorder));
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "damaged_journal" || recorder.state === null) throw error;
    notes.push(`${error.message}: what is told here ends with record ${recorder.numRecords}`);
  }
  const { state } = recorder;
  if (state === null) throw emptyJournal(folder);
  const results = composeResults(state, recorder.lived.seconds);
  const status = runStatus(state, folder);
  const told = readJson(join(folder, RESULTS_FILE));
  if (state.end !== null) notes.push(...editedNotes(results, told));
  else if (status === "cut off" && told !== null)
    notes.push("`results.json` tells of an end that the journal does not hold: the journal stands");
  const manifest = readJson(join(folder, MANIFEST_FILE)) as Partial<Manifest> | null;
  return {
    folder,
    state,
    results,
    status,
    loss: recorder.loss,
    learningRates: recorder.learningRates,
    judgements: recorder.judgements,
    log: recorder.log,
    attempts: recorder.attempts,
    began: recorder.began,
    lastHeard: recorder.lastHeard,
    numRecords: recorder.numRecords,
    versions: { thawline: textOf(manifest?.thawline), node: textOf(manifest?.node) },
    notes,
  };
}

function emptyJournal(folder: string): UserError {
  return new UserError({
    code: "empty_journal",
    message: `the journal in \`${folder}\` does not hold the creation of a run`,
    hint: "the run was ended before it began; `npx thawline resume` begins it",
  });
}

/** A running controller may be about to write the rest; of a run that has none it is lost. */
function isTorn(folder: string, validBytes: number): boolean {
  return statSync(join(folder, JOURNAL_FILE)).size > validBytes;
}

function tornNote({ state, numRecords }: RunRecorder): string {
  const where = state?.end === null ? "" : ", after the end of the run";
  return `the journal ends in the middle of a record${where}: what is told here ends with record ${numRecords}`;
}

/**
 * Which parts of `results.json` say something else than the journal. What the file lacks was written by a version that
 * did not have it; what it counts while it is written, the time, is never quite the same.
 */
function editedNotes(results: Results, file: unknown): string[] {
  if (file === null) return [];
  if (typeof file !== "object" || Array.isArray(file)) return ["`results.json` is no object: the journal stands"];
  const told = file as Record<string, unknown>;
  const own = JSON.parse(JSON.stringify(results)) as Record<string, unknown>;
  const differing = Object.keys(own).filter(
    (key) => key !== "wall_seconds" && Object.hasOwn(told, key) && !holds(own[key], told[key]),
  );
  if (differing.length === 0) return [];
  const keys = differing.map((key) => `\`${key}\``).join(", ");
  return [`\`results.json\` says something else than the journal in ${keys}: the journal stands`];
}

/** Whether two values agree in everything that both of them have. */
function holds(own: unknown, told: unknown): boolean {
  if (own === told) return true;
  if (typeof own !== "object" || typeof told !== "object" || own === null || told === null) return false;
  if (Array.isArray(own) || Array.isArray(told)) return JSON.stringify(own) === JSON.stringify(told);
  const [ours, theirs] = [own as Record<string, unknown>, told as Record<string, unknown>];
  return Object.keys(theirs).every((key) => !Object.hasOwn(ours, key) || holds(ours[key], theirs[key]));
}

/** Null where there is none, or none that can be read. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** The metric keys of a run in order: what was measured, then what was recorded; without what is of single blocks. */
export function signalKeysOf({ signal: { series } }: Pick<State, "signal">): string[] {
  return Object.keys(series).filter((key) => !key.includes("@") && (series[key]?.length ?? 0) > 0);
}
