import { hostname } from "node:os";
import type { RunConfig } from "../config/attached.js";
import { readControlFiles, removeControlFile } from "../control/read.js";
import type { Command, Decision } from "../core/commands.js";
import type { Event } from "../core/events.js";
import { createRun, reduce } from "../core/reduce.js";
import { CORE_VERSION, type State } from "../core/state.js";
import type { Transition } from "../core/transition.js";
import { JOURNAL_FORMAT, type JournalRecord } from "../journal/format.js";
import type { JournalWriter } from "../journal/writer.js";
import { openRouter, type RouterEvent, type WorkerRouter } from "../transport/router.js";
import type { ControllerOptions } from "./options.js";
import { createPerformer, type Performer } from "./perform.js";
import { superviseAttempts, type Supervision } from "./supervision.js";
import { createRecordGate, showsWork, workerEvent } from "./worker-events.js";

/** How often the control folder is looked at. */
const CONTROL_POLL_MILLISECONDS = 250;

const PING_MILLISECONDS = 2000;

/** Grants, recalls and pongs: a worker that does not take this many is not reading. */
const MOST_QUEUED_MESSAGES = 256;

export interface EpochStart {
  readonly epoch: number;
  readonly writer: JournalWriter;
  /** The run as the journal tells it; null for a run that is still to be created. */
  readonly past: { readonly state: State; readonly numRecords: number } | null;
  readonly run: string;
  readonly config: RunConfig;
}

/**
 * One controller's time with a run: takes one event after another, reduces it, journals it, then performs what follows
 * from it. A fault of the outside world comes in as an event; a fault of our own (a journal that cannot be written)
 * ends the epoch.
 */
export class Epoch {
  private state: State | null;
  private numRecords: number;
  private readonly pending: Event[] = [];
  private draining = false;
  private over = false;
  private readonly isWorthARecord = createRecordGate(() => performance.now());
  private finish!: () => void;
  private fail!: (error: unknown) => void;
  private readonly ended = new Promise<void>((resolve, reject) => {
    this.finish = resolve;
    this.fail = reject;
  });

  private readonly performer: Performer;
  private readonly supervision: Supervision;
  private readonly inbox: NodeJS.Timeout;

  private constructor(
    private readonly options: ControllerOptions,
    private readonly start: EpochStart,
    private readonly router: WorkerRouter,
  ) {
    this.state = start.past?.state ?? null;
    this.numRecords = start.past?.numRecords ?? 0;
    const emit = (event: Event): void => this.emit(event);
    this.performer = createPerformer({
      runFolder: options.runFolder,
      router,
      launcher: options.launcher,
      worker: options.worker,
      emit,
      awaitsLastWords: (attempt) => this.awaitsLastWords(attempt),
      onFinish: () => this.finish(),
      onFault: (error) => this.fail(error),
    });
    this.supervision = superviseAttempts({
      emit,
      now: () => performance.now(),
      lastHeardAt: () => router.lastHeardAt(),
    });
    this.inbox = setInterval(() => this.takeOperatorCommands(), CONTROL_POLL_MILLISECONDS);
  }

  /** Takes the run to its end, or until something of our own fails. Leaves no process and no open file. */
  static async run(options: ControllerOptions, start: EpochStart): Promise<State> {
    // The socket is there before the epoch that listens to it; nobody can connect before an attempt is admitted.
    const heard = { by: (_: RouterEvent): void => undefined };
    const router = await openRouter({
      run: start.run,
      onEvent: (event) => heard.by(event),
      pingMilliseconds: PING_MILLISECONDS,
      queueLimit: MOST_QUEUED_MESSAGES,
    });
    const epoch = new Epoch(options, start, router);
    heard.by = (event) => epoch.hear(event);
    return epoch.toTheEnd();
  }

  private async toTheEnd(): Promise<State> {
    const { epoch, past, run, config } = this.start;
    try {
      if (past === null)
        this.emit({ type: "run/created", format: JOURNAL_FORMAT, coreVersion: CORE_VERSION, run, config });
      this.options.interrupts?.listen((signal) => this.emit({ type: "controller/interrupted", signal }));
      this.emit({ type: "controller/started", epoch, pid: process.pid, host: hostname() });
      await this.ended;
      return this.state!;
    } finally {
      clearInterval(this.inbox);
      this.supervision.stop();
      await this.performer.close();
      this.over = true;
      this.router.close();
    }
  }

  /** One event at a time, to the end: what an event causes at once waits for its turn. */
  private emit(event: Event): void {
    this.pending.push(event);
    // The late word of a lost connection, or a signal, must not meet a closed journal.
    if (this.draining || this.over) return;
    this.draining = true;
    try {
      for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) this.take(next);
    } catch (error) {
      this.over = true;
      this.fail(error);
    } finally {
      this.draining = false;
    }
  }

  private take(raw: Event): void {
    // What is reduced is exactly what a replay will read back.
    const event = JSON.parse(JSON.stringify(raw)) as Event;
    const { state, decisions, commands } = this.reduce(event);
    this.numRecords += 1;
    const record: JournalRecord = {
      n: this.numRecords,
      epoch: this.start.epoch,
      at: new Date().toISOString(),
      event,
      ...(decisions.length > 0 ? { decisions } : {}),
      ...(commands.length > 0 ? { commands } : {}),
    };
    this.start.writer.append(record, mustBeDurable(decisions, commands));
    this.state = state;
    this.supervision.observe(state, showsWork(event));
    this.options.onRecord?.(record, state);
    for (const command of commands) this.performer.perform(command, state);
  }

  private reduce(event: Event): Transition {
    if (event.type === "run/created") return { state: createRun(event), decisions: [], commands: [] };
    return reduce(this.state!, event);
  }

  private hear(event: RouterEvent): void {
    if (event.type === "dropped") {
      const more = event.suppressed > 0 ? ` (and ${event.suppressed} more like it)` : "";
      this.options.onNotice?.(`dropped ${event.reason}${more}`);
      return;
    }
    if (event.type === "message" && !this.isWorthARecord(event.message.kind)) {
      this.supervision.observe(this.state!, event.message.kind === "progress");
      return;
    }
    this.emit(workerEvent(event, this.state?.attempt?.number ?? 0));
  }

  private awaitsLastWords(attempt: number): boolean {
    const current = this.state?.attempt;
    return current?.number === attempt && current.closed === null && current.endedBecause === null;
  }

  private takeOperatorCommands(): void {
    const { runFolder, onNotice } = this.options;
    for (const { path, request } of readControlFiles(runFolder)) {
      if (request === null) onNotice?.(`ignored \`${path}\`: it holds no command`);
      else if (request.epoch !== this.start.epoch) onNotice?.(`ignored an expired command of ${request.who}`);
      else this.emit({ type: "operator/commanded", id: request.id, who: request.who, command: request.command });
      removeControlFile(path);
    }
  }
}

/** Those whose effect is in the weights. */
const DURABLE_DECISIONS: ReadonlySet<Decision["type"]> = new Set([
  "interval/decided",
  "block/frozen",
  "block/unfrozen",
  "learningRate/changed",
]);

/** A power cut must not lose a decision whose effect may already be in the weights. */
function mustBeDurable(decisions: readonly Decision[], commands: readonly Command[]): boolean {
  const decides = decisions.some(({ type }) => DURABLE_DECISIONS.has(type));
  const orders = commands.some(
    (command) => command.type === "worker/grant" && command.body.orders.includes("checkpoint"),
  );
  return decides || orders || commands.some(({ type }) => type === "run/finish" || type === "checkpoint/remove");
}
