import { join, resolve } from "node:path";
import { hostname } from "node:os";
import type { Config } from "../config/schema.js";
import { readControlFiles, removeControlFile } from "../control/read.js";
import type { Command, Decision } from "../core/commands.js";
import type { Event, WorkerEventBodies } from "../core/events.js";
import { createRun, reduce } from "../core/reduce.js";
import { CORE_VERSION, type State } from "../core/state.js";
import type { Transition } from "../core/transition.js";
import { JOURNAL_FORMAT, type JournalRecord } from "../journal/format.js";
import { acquireLock } from "../journal/lock.js";
import { readJournal } from "../journal/reader.js";
import { replayJournal, requireSameCore } from "../journal/replay.js";
import { openJournalWriter } from "../journal/writer.js";
import type { Launcher } from "../launch/launcher.js";
import { endProcessGroup } from "../launch/process-group.js";
import type { MessageKind } from "../protocol/messages.js";
import { PROTOCOL_VERSION } from "../protocol/version.js";
import { openRouter, type RouterEvent } from "../transport/router.js";
import { livedSeconds } from "./lived-seconds.js";
import { composeManifest } from "./manifest.js";
import { createPerformer, type WorkerProgram } from "./perform.js";
import { composeResults, type Results } from "./results.js";
import { superviseAttempts } from "./supervision.js";
import { replaceFile } from "./write-file.js";

/** How often the control folder is looked at. */
const CONTROL_POLL_MILLISECONDS = 250;

const PING_MILLISECONDS = 2000;

/** Grants, recalls and pongs: a worker that does not take this many is not reading. */
const MOST_QUEUED_MESSAGES = 256;

/** Progress is for people: once a second, and once in ten seconds after the first hour. */
const PROGRESS_MILLISECONDS = 1000;
const LATE_PROGRESS_MILLISECONDS = 10_000;
const LATE_AFTER_MILLISECONDS = 3_600_000;

const MESSAGE_EVENTS = {
  hello: "worker/connected",
  ready: "worker/prepared",
  applied: "worker/applied",
  boundary: "worker/reachedBoundary",
  progress: "worker/progressed",
  evaluated: "worker/evaluated",
  checkpointed: "worker/checkpointed",
  log: "worker/logged",
  closed: "worker/closed",
} as const satisfies Partial<Record<MessageKind, keyof WorkerEventBodies>>;

export interface ControllerOptions {
  readonly runFolder: string;
  /** A new run to create; null goes on with the run that the journal holds. */
  readonly create: { readonly run: string; readonly config: Config } | null;
  readonly launcher: Launcher;
  readonly worker: WorkerProgram;
  readonly thawlineVersion: string;
  readonly takeover?: boolean;
  /** Sees every record after it is in the journal, with the state it led to. */
  readonly onRecord?: (record: JournalRecord, state: State) => void;
  /** Lines for the operator that belong to no run record: refused connections and the like. */
  readonly onNotice?: (line: string) => void;
  /** Aborting it is Ctrl-C; its reason is the signal's name. May be aborted once; `interruptAgain` is the second time. */
  readonly interrupts?: Interrupts;
}

/** Where signals come from; the listener is called for each one. */
export interface Interrupts {
  readonly listen: (listener: (signal: string) => void) => void;
}

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
export async function control(options: ControllerOptions): Promise<ControllerEnd> {
  const runFolder = resolve(options.runFolder);
  const lock = acquireLock(runFolder, options.takeover ?? false);
  try {
    const past = options.create === null ? await openPast(runFolder) : null;
    return await runEpoch({ ...options, runFolder }, lock.epoch, past);
  } finally {
    lock.release();
  }
}

interface Past {
  readonly records: readonly JournalRecord[];
  readonly state: State;
  readonly validBytes: number;
}

async function openPast(runFolder: string): Promise<Past> {
  const { records, validBytes } = await readJournal(runFolder);
  const state = replayJournal(records);
  requireSameCore(state);
  await endLeftovers(state);
  return { records, state, validBytes };
}

/** A controller that was killed may leave its worker dying: two workers must never train one run. */
async function endLeftovers({ attempt }: State): Promise<void> {
  if (attempt?.pid == null || attempt.startTime === null) return;
  await endProcessGroup({ pid: attempt.pid, startTime: attempt.startTime });
}

async function runEpoch(options: ControllerOptions, epoch: number, past: Past | null): Promise<ControllerEnd> {
  const { runFolder } = options;
  const writer = openJournalWriter(runFolder, past?.validBytes ?? 0);
  const epochBegan = performance.now();
  let numRecords = past?.records.length ?? 0;
  let state = past?.state ?? null;
  let lastProgress = -Infinity;
  let finish: (() => void) | null = null;
  const finished = new Promise<void>((done) => (finish = done));

  const router = await openRouter({
    run: past?.state.run ?? options.create!.run,
    onEvent: (event) => hear(event),
    pingMilliseconds: PING_MILLISECONDS,
    queueLimit: MOST_QUEUED_MESSAGES,
  });
  const pending: Event[] = [];
  let draining = false;
  let over = false;

  /** One event at a time, to the end: what an event causes at once waits for its turn. */
  const emit = (event: Event): void => {
    pending.push(event);
    // Late word of a lost connection, or a signal, must not meet a closed journal.
    if (draining || over) return;
    draining = true;
    try {
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) take(next);
    } finally {
      draining = false;
    }
  };

  const take = (raw: Event): void => {
    // What is reduced is exactly what a replay will read back.
    const event = JSON.parse(JSON.stringify(raw)) as Event;
    const transition: Transition =
      event.type === "run/created" ? { state: createRun(event), decisions: [], commands: [] } : reduce(state!, event);
    const { decisions, commands } = transition;
    numRecords += 1;
    const record: JournalRecord = {
      n: numRecords,
      epoch,
      at: new Date().toISOString(),
      event,
      ...(decisions.length > 0 ? { decisions } : {}),
      ...(commands.length > 0 ? { commands } : {}),
    };
    writer.append(record, mustBeDurable(decisions, commands));
    state = transition.state;
    supervision.observe(state, isWork(event));
    options.onRecord?.(record, state);
    for (const command of commands) performer.perform(command, state);
  };

  const hear = (event: RouterEvent): void => {
    const attempt = state?.attempt?.number ?? 0;
    switch (event.type) {
      case "message": {
        const { kind, body } = event.message;
        if (kind === "progress" && isTooSoon()) {
          supervision.observe(state!, true);
          return;
        }
        emit({ type: MESSAGE_EVENTS[kind], attempt: event.message.attempt, body } as Event);
        return;
      }
      case "violation":
        emit({ type: "attempt/violated", attempt, reason: `it broke the protocol: ${event.reason}` });
        return;
      case "incompatible": {
        const theirs = `${event.theirs.major}.${event.theirs.minor}`;
        const ours = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;
        emit({ type: "attempt/incompatible", attempt, theirs, ours });
        return;
      }
      case "dropped": {
        const more = event.suppressed > 0 ? ` (and ${event.suppressed} more like it)` : "";
        options.onNotice?.(`dropped ${event.reason}${more}`);
      }
    }
  };

  const isTooSoon = (): boolean => {
    const now = performance.now();
    const late = now - epochBegan > LATE_AFTER_MILLISECONDS;
    if (now - lastProgress < (late ? LATE_PROGRESS_MILLISECONDS : PROGRESS_MILLISECONDS)) return true;
    lastProgress = now;
    return false;
  };

  const performer = createPerformer({
    runFolder,
    router,
    launcher: options.launcher,
    worker: options.worker,
    emit,
    awaitsLastWords: (attempt) =>
      state?.attempt?.number === attempt && state.attempt.closed === null && state.attempt.endedBecause === null,
    onFinish: () => finish!(),
  });
  const supervision = superviseAttempts({
    emit,
    now: () => performance.now(),
    lastHeardAt: () => router.lastHeardAt(),
  });
  const inbox = setInterval(
    () => takeOperatorCommands(runFolder, epoch, emit, options.onNotice),
    CONTROL_POLL_MILLISECONDS,
  );

  try {
    if (options.create !== null) {
      const { run, config } = options.create;
      emit({ type: "run/created", format: JOURNAL_FORMAT, coreVersion: CORE_VERSION, run, config });
    }
    options.interrupts?.listen((signal) => emit({ type: "controller/interrupted", signal }));
    emit({ type: "controller/started", epoch, pid: process.pid, host: hostname() });
    await finished;
  } finally {
    clearInterval(inbox);
    supervision.stop();
    await performer.close();
    over = true;
    router.close();
    writer.close();
  }
  return writeResults(options, state!, livedSeconds(past?.records ?? []) + (performance.now() - epochBegan) / 1000);
}

function takeOperatorCommands(
  runFolder: string,
  epoch: number,
  emit: (event: Event) => void,
  onNotice: ControllerOptions["onNotice"],
): void {
  for (const { path, request } of readControlFiles(runFolder)) {
    if (request === null) onNotice?.(`ignored \`${path}\`: it holds no command`);
    else if (request.epoch !== epoch) onNotice?.(`ignored an expired command of ${request.who}`);
    else emit({ type: "operator/commanded", id: request.id, who: request.who, command: request.command });
    removeControlFile(path);
  }
}

function writeResults(options: ControllerOptions, state: State, wallSeconds: number): ControllerEnd {
  const results = composeResults(state, wallSeconds);
  const manifest = composeManifest(state, options.thawlineVersion);
  replaceFile(join(options.runFolder, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  replaceFile(join(options.runFolder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return { state, results };
}

/** A power cut must not lose a decision whose effect may already be in the weights. */
function mustBeDurable(decisions: readonly Decision[], commands: readonly Command[]): boolean {
  const decides = decisions.some(
    ({ type }) => type === "interval/decided" || type === "block/unfrozen" || type === "learningRate/changed",
  );
  const orders = commands.some(
    (command) => command.type === "worker/grant" && command.body.orders.includes("checkpoint"),
  );
  return decides || orders || commands.some(({ type }) => type === "run/finish" || type === "checkpoint/remove");
}

/** Events that show that the worker's work goes on; pongs and logs do not. */
function isWork({ type }: Event): boolean {
  return (
    type === "worker/reachedBoundary" ||
    type === "worker/progressed" ||
    type === "worker/evaluated" ||
    type === "worker/checkpointed" ||
    type === "worker/applied"
  );
}
