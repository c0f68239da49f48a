import { indexAt } from "../core/counting.js";
import { createRun, reduce } from "../core/reduce.js";
import { finitePoints, signalKey } from "../core/signal.js";
import { findOffline, findOnline, withSpanBound, type OfflineResult } from "../core/stabilization.js";
import { CORE_VERSION, type State } from "../core/state.js";
import { BugError, ReplayDivergence, UserError } from "../errors.js";
import { JOURNAL_FORMAT, type JournalRecord } from "./format.js";

/** The next state after one record. The first record of a journal creates the run (`state` is null then). */
export function replayRecord(state: State | null, record: JournalRecord): State {
  const { event } = record;
  if (event.type === "run/created") return createRun(event);
  if (state === null) throw new BugError("a journal that does not begin with run/created passed its checks");
  return reduce(state, event).state;
}

/**
 * Reduces a whole journal again.
 * @throws UserError `empty_journal`, `other_journal_format`
 */
export function replayJournal(records: readonly JournalRecord[]): State {
  const created = records[0]?.event;
  if (created?.type !== "run/created") {
    throw new UserError({
      code: "empty_journal",
      message: "the journal does not begin with the creation of a run",
      hint: "the run ended before it began; start it again with `npx thawline run`",
    });
  }
  if (created.format !== JOURNAL_FORMAT) {
    throw new UserError({
      code: "other_journal_format",
      message: `the journal has format ${created.format}, this version reads ${JOURNAL_FORMAT}`,
      hint: "use the version of thawline that wrote it",
    });
  }
  return records.reduce<State | null>((state, record) => replayRecord(state, record), null)!;
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
export function verifyJournal(records: readonly JournalRecord[]): { state: State; numCommands: number } {
  let state = replayJournal(records.slice(0, 1));
  let numCommands = 0;
  for (const record of records.slice(1)) {
    const again = reduce(state, record.event);
    compare(record, "commands", record.commands ?? [], again.commands);
    compare(record, "decisions", record.decisions ?? [], again.decisions);
    numCommands += again.commands.length;
    state = again.state;
  }
  return { state, numCommands };
}

function compare(record: JournalRecord, what: string, recorded: readonly unknown[], again: readonly unknown[]): void {
  const [before, after] = [JSON.stringify(recorded), JSON.stringify(again)];
  if (before === after) return;
  throw new ReplayDivergence({
    message: `record ${record.n} (\`${record.event.type}\`) gives other ${what} than the journal holds`,
    hint: `recorded ${before}, now ${after}`,
  });
}

export interface WhatIf {
  readonly metric: string;
  readonly tau: number;
  readonly epsilon: number;
}

export interface WhatIfAnswer extends WhatIf {
  readonly points: number;
  readonly every: number;
  readonly kOnline: number | null;
  readonly offline: OfflineResult;
}

/**
 * Which k another detector would have chosen on the recorded series, without training. With a tau other than the
 * run's own the noise of a change is bounded by the sum of single changes, because only those were paired.
 * @throws UserError `no_such_series`
 */
export function askWhatIf(state: State, question: WhatIf): WhatIfAnswer {
  const series = state.series[signalKey(question.metric)];
  if (series === undefined) {
    const known = Object.keys(state.series).map((key) => `\`${key.replace("probe/", "")}\``);
    throw new UserError({
      code: "no_such_series",
      message: `the run has no series of \`${question.metric}\``,
      hint: known.length === 0 ? "it measured no signal" : `it has ${known.join(", ")}`,
    });
  }
  const measured = finitePoints(series, series.at(-1)?.update ?? 0);
  const points = question.tau === state.config.intervention.tau ? measured : withSpanBound(measured, question.tau);
  const rule = { window: question.tau, tolerance: question.epsilon };
  const { every } = state.config.probe;
  const offline = findOffline(points, rule, every);
  const firedAt = findOnline(points, rule);
  const kOnline = firedAt === null ? null : indexAt(state.config.intervention, firedAt);
  return { ...question, points: points.length, every, kOnline, offline };
}
