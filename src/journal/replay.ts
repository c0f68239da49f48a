import { indexAt } from "../core/intervention/counting.js";
import { everyOf } from "../core/grid.js";
import { measuredRule } from "../core/measured.js";
import { reduce } from "../core/reduce.js";
import { finitePoints, signalKey, signalOf } from "../core/detector/signal.js";
import { seriesRule } from "../core/detector/series-rule.js";
import { withSpanBound, type OfflineResult } from "../core/detector/stabilization.js";
import { CORE_VERSION, type State } from "../core/state.js";
import { ReplayDivergence, UserError } from "../errors.js";
import type { Transition } from "../core/transition.js";
import { unreadable } from "./decode.js";
import type { EventRecord, JournalRecord } from "./format.js";
import { scanEvents, scanJournal, type JournalExtent } from "./reader.js";

/**
 * Reduces a whole journal again.
 * @throws UserError `empty_journal`, `foreign_record`
 */
export function replayJournal(records: Iterable<JournalRecord>): State {
  const replay = new Replay();
  replay.take(records);
  return replay.end();
}

/**
 * `reduce` for a record that was read.
 * @throws UserError `foreign_record`: whoever wrote it had reduced it before, so it is not of this version
 */
export function reduceRecord(state: State | null, record: EventRecord): Transition {
  return readable(record, () => reduce(state, record.event));
}

/**
 * The state after a record that was read for its event, and the record with all that was decided: `reduce` decides it
 * again, and what another core decided was read.
 * @throws UserError `foreign_record`
 */
export function observeRecord(before: State | null, record: EventRecord): { state: State; record: JournalRecord } {
  const { state, decisions, commands } = reduceRecord(before, record);
  if (state.coreVersion !== CORE_VERSION) return { state, record: record as JournalRecord };
  const { n, term, at, event } = record;
  return { state, record: { n, term, at, event, decisions, commands } };
}

/**
 * What `made` makes of a record that was read.
 * @throws UserError `foreign_record` for whatever it throws
 */
export function readable<T>(record: EventRecord, made: () => T): T {
  try {
    return made();
  } catch (error) {
    throw unreadable(record, error);
  }
}

/**
 * Reduces the journal in a run folder while it is read, as far as it can be read.
 * @throws UserError as `readJournal` and `replayJournal` do
 */
export async function replayFolder(runFolder: string, replay = new Replay()): Promise<ReplayedRun> {
  const { lost } = replay.compares
    ? await scanJournal(runFolder, (records) => replay.take(records))
    : await scanEvents(runFolder, (records) => replay.take(records));
  return { state: replay.end(), numRecords: replay.numRecords, numCommands: replay.numCommands, lost };
}

export interface ReplayedRun extends Pick<JournalExtent, "lost"> {
  readonly state: State;
  readonly numRecords: number;
  readonly numCommands: number;
}

/** Reduces a journal again, as many records at a time as there are. */
export class Replay {
  private state: State | null = null;
  numRecords = 0;
  numCommands = 0;

  /** @param compares whether everything that was decided and ordered is compared with what the journal holds */
  constructor(readonly compares = false) {}

  /** @throws UserError `empty_journal`, `other_journal_format`; ReplayDivergence naming the first record that differs */
  take(records: Iterable<EventRecord>): void {
    for (const record of records) {
      if (this.numRecords === 0) requireBeginning(record);
      const { state, decisions, commands } = reduceRecord(this.state, record);
      if (this.compares) {
        compare(record, "commands", (record as JournalRecord).commands ?? [], commands);
        compare(record, "decisions", (record as JournalRecord).decisions ?? [], decisions);
      }
      this.state = state;
      this.numRecords += 1;
      this.numCommands += commands.length;
    }
  }

  /** @throws UserError `empty_journal` */
  end(): State {
    if (this.state === null) requireBeginning(undefined);
    return this.state!;
  }
}

function requireBeginning(first: EventRecord | undefined): void {
  const created = first?.event;
  if (created?.type !== "run/created") {
    throw new UserError({
      code: "empty_journal",
      message: "the journal does not begin with the creation of a run",
      hint: "the run was ended before it began; `npx thawline resume` begins it",
    });
  }
}

/** @throws UserError `other_core_version`: a recorded history would not reduce to the same decisions */
export function requireSameCore(state: State): void {
  if (state.coreVersion === CORE_VERSION) return;
  throw new UserError({
    code: "other_core_version",
    message: `the run was decided by core version ${state.coreVersion}, this is version ${CORE_VERSION}`,
    hint: `install the version of thawline with core version ${state.coreVersion} to go on with this run`,
  });
}

/**
 * Reduces the journal again and compares everything that was decided and ordered.
 * @throws ReplayDivergence naming the first record that differs
 */
export function verifyJournal(records: Iterable<JournalRecord>): { state: State; numCommands: number } {
  const replay = new Replay(true);
  replay.take(records);
  return { state: replay.end(), numCommands: replay.numCommands };
}

function compare(record: EventRecord, what: string, recorded: readonly unknown[], again: readonly unknown[]): void {
  if (isAlike(recorded, again)) return;
  const [before, after] = [JSON.stringify(recorded), JSON.stringify(again)];
  if (before === after) return;
  throw new ReplayDivergence({
    message: `record ${record.n} (\`${record.event.type}\`) gives other ${what} than the journal holds`,
    hint: `recorded ${before}, now ${after}`,
  });
}

/** Whether two values are written alike, told without writing them; false is said of some that are. */
function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [ours, theirs] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const [keys, others] = [Object.keys(ours), Object.keys(theirs)];
  if (keys.length !== others.length) return false;
  return keys.every((key, index) => key === others[index] && isAlike(ours[key], theirs[key]));
}

export interface WhatIf {
  /** A metric, or `recorded:NAME`. */
  readonly metric: string;
  readonly tau: number;
  readonly epsilon: number;
  /** Which values of a recorded one are better. */
  readonly mode?: "min" | "max";
}

export interface WhatIfAnswer extends WhatIf {
  readonly points: number;
  /** Updates between two points; null where a script recorded them. */
  readonly every: number | null;
  readonly kOnline: number | null;
  readonly offline: OfflineResult;
}

/**
 * Which k another detector would have chosen on the recorded series, without training. With a tau other than the
 * run's own the noise of a change is bounded by the sum of single changes, because only those were paired.
 * @throws UserError `no_such_series`
 */
export function askWhatIf(state: State, question: WhatIf): WhatIfAnswer {
  const series = state.signal.series[signalKey(question.metric)];
  if (series === undefined) {
    const known = Object.keys(state.signal.series).map((key) => `\`${signalOf(key)}\``);
    throw new UserError({
      code: "no_such_series",
      message: `the run has no series of \`${question.metric}\``,
      hint: known.length === 0 ? "it measured no signal, and nothing was recorded" : `it has ${known.join(", ")}`,
    });
  }
  const measured = finitePoints(series, series.at(-1)?.update ?? 0);
  const isPaired = question.mode !== undefined || question.tau === measuredRule(state.config).tau;
  const points = isPaired ? measured : withSpanBound(measured, question.tau);
  const rule = seriesRule({ ...question, signal: question.metric }, state);
  const every = question.mode === undefined ? everyOf(state) : null;
  const offline = rule.findOffline(points);
  const firedAt = rule.findOnline(points);
  const kOnline = firedAt === null ? null : indexAt(state.config.intervention, firedAt);
  return { ...question, points: points.length, every, kOnline, offline };
}
