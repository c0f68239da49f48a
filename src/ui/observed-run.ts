import { selectStep } from "../core/selectors.js";
import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import { replayRecord } from "../journal/replay.js";
import type { Sentence } from "./decisions.js";
import { describeRecord } from "./sentences.js";

/** Sentences kept for the decision log: more than the tallest terminal shows. */
const MOST_SENTENCES = 200;

export interface LoggedSentence extends Sentence {
  /** UTC time, ISO 8601. */
  readonly at: string;
}

/** A run as its reader knows it: the state of its journal, and what only a reader cares about (times, words). */
export interface ObservedRun {
  readonly runFolder: string;
  /** Null before the journal's first record. */
  readonly state: State | null;
  readonly log: readonly LoggedSentence[];
  /** Seconds of the controllers that came before the present one. */
  readonly earlierSeconds: number;
  /** Milliseconds since 1970 of the present controller's start and of the last record. */
  readonly startedAt: number | null;
  readonly lastAt: number | null;
  /** What became of operators' commands, by id: a sentence. */
  readonly answers: Readonly<Record<string, string>>;
}

export function unobservedRun(runFolder: string): ObservedRun {
  return { runFolder, state: null, log: [], earlierSeconds: 0, startedAt: null, lastAt: null, answers: {} };
}

/** The run after one more record. */
export function observe(run: ObservedRun, record: JournalRecord): ObservedRun {
  const state = replayRecord(run.state, record);
  const at = Date.parse(record.at);
  const sentences = describeRecord(record, state)
    .filter(({ kind }) => kind !== "signal" && kind !== "progress")
    .map((sentence) => ({ ...sentence, at: record.at }));
  const tookOver = record.event.type === "controller/started";
  const before = run.startedAt === null || run.lastAt === null ? 0 : (run.lastAt - run.startedAt) / 1000;
  return {
    ...run,
    state,
    log: sentences.length === 0 ? run.log : [...run.log, ...sentences].slice(-MOST_SENTENCES),
    earlierSeconds: tookOver ? run.earlierSeconds + before : run.earlierSeconds,
    startedAt: tookOver || run.startedAt === null ? at : run.startedAt,
    lastAt: at,
    answers: { ...run.answers, ...answersIn(record) },
  };
}

function answersIn(record: JournalRecord): Record<string, string> {
  const answers: Record<string, string> = {};
  for (const decision of record.decisions ?? []) {
    if (decision.type === "operator/applied") answers[decision.id] = `done before update ${decision.update}`;
    if (decision.type === "operator/refused") answers[decision.id] = `refused: ${decision.why}`;
  }
  return answers;
}

/** Seconds for which a controller has lived, until `now` where the run goes on. */
export function elapsedSeconds(run: ObservedRun, now: number): number {
  if (run.startedAt === null || run.lastAt === null) return 0;
  const until = run.state?.end === null ? Math.max(now, run.lastAt) : run.lastAt;
  return run.earlierSeconds + (until - run.startedAt) / 1000;
}

/** A controller at work journals its worker's progress every 10 s at least; so much longer without a record is odd. */
const SILENT_AFTER_SECONDS = 60;

/** Seconds without a record, where that is longer than a living controller leaves; null otherwise. A paused run is silent. */
export function silentSeconds(run: ObservedRun, now: number): number | null {
  const { state, lastAt } = run;
  if (state === null || lastAt === null || state.end !== null || state.paused) return null;
  const seconds = (now - lastAt) / 1000;
  return seconds > SILENT_AFTER_SECONDS ? seconds : null;
}

/** Completed updates over all updates, from 0 to 1; null where the end is unknown. */
export function completedShare(state: State): number | null {
  const total = state.model?.numUpdates ?? null;
  return total === null ? null : Math.min(1, selectStep(state) / total);
}
