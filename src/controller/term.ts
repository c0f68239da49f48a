import { hostname } from "node:os";
import type { RunConfig } from "../config/attached.js";
import { Inbox, type FoundRequest } from "../inbox/inbox.js";
import type { Command, Decision } from "../core/commands.js";
import type { Event } from "../core/events.js";
import { failpoint } from "../failpoint.js";
import { reduce } from "../core/reduce.js";
import { CORE_VERSION, type State } from "../core/state.js";
import { JOURNAL_FORMAT, type JournalRecord } from "../journal/format.js";
import type { JournalWriter } from "../journal/writer.js";
import { openRouter } from "../transport/router.js";
import type { MessageKind } from "../protocol/messages.js";
import type { RouterEvent, WorkerRouter } from "../transport/worker-router.js";
import type { ControllerOptions } from "./options.js";
import type { FolderWatch } from "../runs/folder-identity.js";
import { systemClock, type Clock } from "./clock.js";
import type { Faults } from "./faults.js";
import { mustBeDurable } from "./durable.js";
import { Performer } from "./perform.js";
import { superviseAttempts, type Supervision } from "./supervision.js";
import { createRecordGate, showsWork, workerEvent } from "./worker-events.js";

/** How often the inbox is looked at. */
const INBOX_POLL_MILLISECONDS = 250;

/** A look that takes longer waits for a file system that does not answer. */
const INBOX_PATIENCE_LOOKS = 40;

const PING_MILLISECONDS = 2000;

/** Grants, recalls and pongs: a worker that does not take this many is not reading. */
const MOST_QUEUED_MESSAGES = 256;

export interface TermStart {
  readonly term: number;
  readonly writer: JournalWriter;
  /** The run as the journal tells it; null for a run that is still to be created. */
  readonly past: { readonly state: State; readonly numRecords: number } | null;
  readonly run: string;
  readonly config: RunConfig;
  readonly faults: Faults;
  /** The run folder, and whether it is still the one that was taken over. */
  readonly folder: FolderWatch;
}

/**
 * One controller's time with a run: takes one event after another, reduces it, journals it, then performs what follows
 * from it. A fault of the outside world comes in as an event; a fault of our own (a journal that cannot be written)
 * ends the term.
 */
export class Term {
  private state: State | null;
  private numRecords: number;
  private readonly pending: Event[] = [];
  private draining = false;
  private over = false;
  private readonly isWorthARecord: (kind: MessageKind) => boolean;
  private finish!: () => void;
  private fail!: (error: unknown) => void;
  private readonly ended = new Promise<void>((resolve, reject) => {
    this.finish = resolve;
    this.fail = reject;
  });

  private readonly performer: Performer;
  private readonly supervision: Supervision;
  private readonly inbox: Inbox;
  private looks = 0;
  private readonly stopInbox: () => void;
  private readonly clock: Clock;

  private constructor(
    private readonly options: ControllerOptions,
    private readonly start: TermStart,
    private readonly router: WorkerRouter,
  ) {
    this.state = start.past?.state ?? null;
    this.numRecords = start.past?.numRecords ?? 0;
    const emit = (event: Event): void => this.emit(event);
    const { faults } = start;
    const clock = guarded(options.clock ?? systemClock, faults);
    this.clock = clock;
    this.isWorthARecord = createRecordGate(clock.now);
    this.performer = new Performer({
      runFolder: options.runFolder,
      router,
      launcher: options.launcher,
      worker: options.worker,
      clock,
      runIdentity: start.folder.folder.identity,
      emit,
      awaitsLastWords: (attempt) => this.awaitsLastWords(attempt),
      onFinish: () => this.finish(),
      onFault: faults.report,
      onNotice: (line) => options.onNotice?.(line),
    });
    this.supervision = superviseAttempts({ emit, clock, lastHeardAt: () => router.lastHeardAt() });
    this.inbox = new Inbox(options.runFolder, (line) => options.onNotice?.(line));
    this.stopInbox = clock.every(INBOX_POLL_MILLISECONDS, () => this.lookIntoInbox());
    faults.listen((error) => this.giveUp(error));
  }

  /** Takes the run to its end, or until something of our own fails. Leaves no process and no open file. */
  static async run(options: ControllerOptions, start: TermStart): Promise<State> {
    // The socket is there before the term that listens to it; nobody can connect before an attempt is admitted.
    const heard = { by: (_: RouterEvent): void => undefined };
    const router = await (options.openRouter ?? openRouter)({
      run: start.run,
      onEvent: start.faults.callback((event: RouterEvent) => heard.by(event)),
      onFault: start.faults.report,
      pingMilliseconds: PING_MILLISECONDS,
      queueLimit: MOST_QUEUED_MESSAGES,
    });
    const term = new Term(options, start, router);
    heard.by = (event) => term.hear(event);
    return term.toTheEnd();
  }

  private async toTheEnd(): Promise<State> {
    const { term, past, run, config, folder } = this.start;
    try {
      if (past === null)
        this.emit({ type: "run/created", format: JOURNAL_FORMAT, coreVersion: CORE_VERSION, run, config });
      const interrupted = (signal: string): void => this.emit({ type: "controller/interrupted", signal });
      this.options.interrupts?.listen(this.start.faults.callback(interrupted));
      const copied = folder.copyOf === null ? {} : { copyOf: folder.copyOf };
      const started = { term, pid: process.pid, host: hostname(), folder: folder.folder, ...copied };
      this.emit({ type: "controller/started", ...started });
      await this.ended;
      return this.state!;
    } finally {
      this.stopInbox();
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
      while (!this.isOver() && this.pending.length > 0) this.take(this.pending.shift()!);
    } catch (error) {
      this.giveUp(error);
    } finally {
      this.draining = false;
    }
  }

  /** A method, since what is called in between may end it. */
  private isOver(): boolean {
    return this.over;
  }

  /** A fault of our own ends the term at once: whatever it leads to would be told of the attempt, or start another one. */
  private giveUp(error: unknown): void {
    if (this.over) return;
    this.journalFault(error);
    this.over = true;
    this.fail(error);
  }

  /** As far as it can be journaled: it may be the journal that failed. */
  private journalFault(error: unknown): void {
    if (this.state === null) return;
    const message = error instanceof Error ? error.message : String(error);
    try {
      const event: Event = { type: "controller/failed", message };
      this.start.writer.append(this.nextRecord(event, [], []), true);
      this.numRecords += 1;
    } catch {
      // What is thrown at the end says it too.
    }
  }

  private take(raw: Event): void {
    // What is reduced is exactly what a replay will read back.
    const event = JSON.parse(JSON.stringify(raw)) as Event;
    const { state, decisions, commands } = reduce(this.state, event);
    const record = this.nextRecord(event, decisions, commands);
    this.start.writer.append(record, mustBeDurable(decisions, commands));
    failpoint("journal.append");
    this.numRecords = record.n;
    this.state = state;
    this.supervision.observe(state, showsWork(event));
    this.options.onRecord?.(record, state);
    for (const command of commands) this.performer.perform(command, state);
    failpoint("journal.performed");
  }

  private nextRecord(event: Event, decisions: readonly Decision[], commands: readonly Command[]): JournalRecord {
    return {
      n: this.numRecords + 1,
      term: this.start.term,
      at: this.clock.date().toISOString(),
      event,
      ...(decisions.length > 0 ? { decisions } : {}),
      ...(commands.length > 0 ? { commands } : {}),
    };
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
    return current?.number === attempt && current.stage !== "closed" && current.ended === null;
  }

  /** One look at a time: a file system that does not answer keeps this one waiting, and the run goes on. */
  private async lookIntoInbox(): Promise<void> {
    this.start.folder.requireSame();
    this.looks += 1;
    if (this.looks > 1) {
      const line = "the inbox does not answer: requests do not reach this run until its file system does";
      if (this.looks === INBOX_PATIENCE_LOOKS) this.options.onNotice?.(line);
      return;
    }
    try {
      await this.takeRequests(await this.inbox.look());
    } finally {
      this.looks = 0;
    }
  }

  private async takeRequests(found: readonly FoundRequest[]): Promise<void> {
    const empty = found.filter(({ file }) => file === null).map(({ path }) => path);
    const more = empty.length > 1 ? ` (and ${empty.length - 1} more like it)` : "";
    if (empty.length > 0) this.options.onNotice?.(`ignored \`${empty[0]}\`: it holds no request${more}`);
    for (const { path, file } of found) {
      if (this.over) return;
      if (file !== null && file.term !== this.start.term) {
        this.options.onNotice?.(`ignored an expired request of ${file.who}`);
      } else if (file !== null) {
        this.emit({ type: "operator/requested", id: file.id, who: file.who, request: file.request });
      }
      // What could not be journaled stays: the next controller says that it expired.
      if (this.isOver()) return;
      await this.inbox.remove(path);
    }
  }
}

/** The clock with callbacks that cannot end the process. */
function guarded(clock: Clock, faults: Faults): Clock {
  return { ...clock, every: (milliseconds, task) => clock.every(milliseconds, faults.callback(task)) };
}
