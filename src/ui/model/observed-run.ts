import { Series } from "../../core/series.js";
import { selectStep } from "../../reading/selectors.js";
import type { State } from "../../core/state.js";
import type { EventRecord, JournalRecord } from "../../journal/format.js";
import { observeRecord, readable } from "../../journal/replay.js";
import type { Sentence } from "../../words/decisions.js";
import { formatClock, formatCount, formatDuration } from "../../words/format.js";
import { describeNews } from "../../words/sentences.js";
import { followCurves, NO_CURVES, type Curves } from "./curves.js";

/** Sentences kept for the decision log: more than the tallest terminal shows. */
const MOST_SENTENCES = 200;

export interface LoggedSentence extends Sentence {
  /** UTC time, ISO 8601. */
  readonly at: string;
}

interface Answer {
  readonly id: string;
  readonly text: string;
}

/** A run as its reader knows it: the state of its journal, and what only a reader cares about (times, words). */
export interface ObservedRun {
  readonly runFolder: string;
  /** Null before the journal's first record. */
  readonly state: State | null;
  readonly curves: Curves;
  readonly log: readonly LoggedSentence[];
  /** Seconds of the controllers that came before the present one. */
  readonly earlierSeconds: number;
  /** Of the present controller's start and of the last record, as records have it: UTC time, ISO 8601. */
  readonly startedAt: string | null;
  readonly lastAt: string | null;
  /** What became of operators' commands: a sentence each, by the id of the command. */
  readonly answers: Series<Answer>;
}

export function unobservedRun(runFolder: string): ObservedRun {
  return {
    runFolder,
    state: null,
    curves: NO_CURVES,
    log: [],
    earlierSeconds: 0,
    startedAt: null,
    lastAt: null,
    answers: Series.of<Answer>([], ({ id }) => id),
  };
}

/** The run after one more record. */
export function observe(run: ObservedRun, read: EventRecord): ObservedRun {
  const { state, record } = observeRecord(run.state, read);
  const sentences = sentencesOf(record, state);
  const tookOver = record.event.type === "controller/started";
  const answers = answersIn(record);
  // One literal: to spread an object with so many keys is slow, and this is done at every record.
  return {
    runFolder: run.runFolder,
    state,
    curves: followCurves(run.curves, run.state, state),
    log: sentences.length === 0 ? run.log : [...run.log, ...sentences].slice(-MOST_SENTENCES),
    earlierSeconds: tookOver ? run.earlierSeconds + secondsOfController(run, 0) : run.earlierSeconds,
    startedAt: tookOver || run.startedAt === null ? record.at : run.startedAt,
    lastAt: record.at,
    answers: answers.length === 0 ? run.answers : run.answers.appendAll(answers),
  };
}

/** What the decision log says of a record. */
function sentencesOf(record: JournalRecord, state: State): LoggedSentence[] {
  const news = readable(record, () => describeNews(record, state));
  if (news.length === 0) return [];
  const kept = news.filter(({ kind }) => kind !== "signal" && kind !== "progress");
  return kept.map((sentence) => ({ ...sentence, at: record.at }));
}

function answersIn({ decisions }: JournalRecord): Answer[] {
  if (decisions === undefined || decisions.length === 0) return [];
  return decisions.flatMap((decision) => {
    if (decision.type === "operator/applied")
      return [{ id: decision.id, text: `done before update ${decision.update}` }];
    if (decision.type === "operator/refused") return [{ id: decision.id, text: `refused: ${decision.why}` }];
    return [];
  });
}

/** Seconds for which a controller has lived, until `now` where the run goes on: one that is silent may be gone. */
export function elapsedSeconds(run: ObservedRun, now: number): number {
  const goesOn = run.state?.end === null && silentSeconds(run, now) === null;
  return run.earlierSeconds + secondsOfController(run, goesOn ? now : 0);
}

/** Seconds of the present controller, until its last record or `now`, whichever is later. */
function secondsOfController({ startedAt, lastAt }: ObservedRun, now: number): number {
  if (startedAt === null || lastAt === null) return 0;
  return (Math.max(now, Date.parse(lastAt)) - Date.parse(startedAt)) / 1000;
}

/** A controller at work journals its worker's progress every 10 s at least; so much longer without a record is odd. */
const SILENT_AFTER_SECONDS = 60;

/** Seconds without a record, where that is longer than a living controller leaves; null otherwise. A paused run is silent. */
export function silentSeconds(run: ObservedRun, now: number): number | null {
  const { state, lastAt } = run;
  if (state === null || lastAt === null || state.end !== null || state.operator.paused) return null;
  const seconds = (now - Date.parse(lastAt)) / 1000;
  return seconds > SILENT_AFTER_SECONDS ? seconds : null;
}

/** What is shown of a run and changes by itself: how long it has lived, or how many minutes nothing was heard of it. */
export function describeTimes(run: ObservedRun, now: number): string {
  const silent = silentSeconds(run, now);
  return `${formatClock(elapsedSeconds(run, now))} ${silent === null ? "" : describeSilence(silent)}`;
}

/** In whole minutes: seconds would be drawn for ever where a controller is gone. */
export function describeSilence(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? formatCount(minutes, "minute") : formatDuration(minutes * 60);
}

/** Completed updates over all updates, from 0 to 1; null where the end is unknown. */
export function completedShare(state: State): number | null {
  const total = state.model?.numUpdates ?? null;
  return total === null ? null : Math.min(1, selectStep(state) / total);
}
