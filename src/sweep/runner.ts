import { claim, type Claim } from "../claims/claim.js";
import type { Decision } from "../core/commands.js";
import { UserError } from "../errors.js";
import { inOrder, type Share } from "./next-run.js";
import type { Plan, PlannedRun } from "./plan.js";
import type { RunEnd, RunProcess, Slot, StartRun } from "./run-process.js";
import { SourceRuns, type Here } from "./source-runs.js";
import { standingOf } from "./standing.js";
import { isDone } from "../reading/run-standing.js";
import { FAILURE, notesFolderOf, TAKEN } from "./sweep-folder.js";
import type { RunStanding } from "../reading/run-standing.js";

/** What happens in a sweep, for whoever tells of it. */
export type SweepEvent =
  | { readonly type: "started"; readonly run: PlannedRun; readonly resumed: boolean }
  | { readonly type: "decided"; readonly run: PlannedRun; readonly decision: Decision & { type: "interval/decided" } }
  | { readonly type: "finished"; readonly run: PlannedRun }
  | { readonly type: "taken"; readonly run: PlannedRun; readonly from: PlannedRun }
  | { readonly type: "failed"; readonly run: PlannedRun; readonly end: RunEnd; readonly again: boolean }
  | { readonly type: "stopped"; readonly run: PlannedRun; readonly why: "asked" | "by an operator" | "claim lost" };

export interface SweepOptions {
  readonly folder: string;
  readonly plan: Plan;
  readonly slots: readonly Slot[];
  readonly share: Share | null;
  /** Whether the first failure ends the sweep; runs that are under way are stopped with a checkpoint. */
  readonly failFast: boolean;
  /** Names this call, or the calls of all tasks of one submission: within it a failed run is begun again `retries` times. */
  readonly call: string;
  readonly startRun: StartRun;
  readonly here: Here;
  readonly onEvent: (event: SweepEvent) => void;
  /** Seconds until the scheduler ends this process; null where nobody will. */
  readonly secondsLeft?: () => number | null;
  /** So long before that runs are stopped: what checkpoints and an orderly end may take. */
  readonly stopSeconds?: number;
  readonly pollMilliseconds?: number;
}

export interface SweepEnd {
  /** `done`: nothing is left that this call may do. `time`: its time is nearly up. */
  readonly why: "done" | "interrupted" | "failed" | "time";
  /** Of all runs of the plan. */
  readonly standings: ReadonlyMap<string, RunStanding>;
}

interface UnderWay {
  readonly run: PlannedRun;
  readonly slot: Slot;
  readonly claim: Claim;
  readonly process: RunProcess;
  readonly over: Promise<void>;
}

const POLL_MILLISECONDS = 1000;
/** What a checkpoint and an orderly end may take, unless the caller knows. */
const STOP_SECONDS = 120;

/**
 * Works at a plan until nothing is left to do: takes up a run that nobody holds, begins it or goes on with it, and
 * then the next. What is left is derived from the folders again and again, so that any number of these, on any number of
 * machines, share the work, and a call after any death does what is missing.
 */
export class SweepRunner {
  private readonly standings = new Map<string, RunStanding>();
  private readonly underWay = new Map<string, UnderWay>();
  private readonly leftAlone = new Set<string>();
  private readonly lost = new Set<string>();
  private readonly sources: SourceRuns;
  private stopping: Exclude<SweepEnd["why"], "done"> | null = null;
  /** Something has happened since it was last looked at. */
  private changed = false;
  private wake: () => void = () => undefined;

  constructor(private readonly options: SweepOptions) {
    this.sources = new SourceRuns(options.folder, options.here);
  }

  /** Stops every run with a checkpoint and begins no other; again, without waiting for checkpoints. */
  stop(why: Exclude<SweepEnd["why"], "done"> = "interrupted"): void {
    this.stopping ??= why;
    for (const { process } of this.underWay.values()) process.stop();
    this.changed = true;
    this.wake();
  }

  async work(): Promise<SweepEnd> {
    try {
      return await this.toTheEnd();
    } catch (error) {
      // Whatever it is, no run is left behind that nobody watches.
      this.stop("failed");
      await Promise.all([...this.underWay.values()].map(({ over }) => over));
      throw error;
    }
  }

  private async toTheEnd(): Promise<SweepEnd> {
    for (;;) {
      await this.look();
      if (this.stopping === null) await this.fill();
      if (this.underWay.size === 0 && (this.stopping !== null || !this.isAnybodyAtWork())) break;
      await this.change();
      this.heedTime();
      this.heedClaims();
    }
    return { why: this.stopping ?? "done", standings: this.standings };
  }

  private get unfinished(): PlannedRun[] {
    return this.options.plan.runs.filter(({ id }) => !isDone(this.standings.get(id) ?? "pending"));
  }

  private async look(): Promise<void> {
    for (const run of this.unfinished) {
      if (!this.underWay.has(run.id)) this.standings.set(run.id, await standingOf(this.options.folder, run));
    }
  }

  private async fill(): Promise<void> {
    while (this.hasSlot() && this.stopping === null) {
      const run = this.next();
      if (run === null) return;
      await this.takeUp(run);
    }
  }

  private hasSlot(): boolean {
    return this.underWay.size < this.options.slots.length;
  }

  private next(): PlannedRun | null {
    const waiting = this.options.plan.runs.flatMap((run, position) => (this.mayTakeUp(run) ? [{ run, position }] : []));
    return inOrder(waiting, this.unfinished, this.options.share)[0]?.run ?? null;
  }

  private mayTakeUp({ id }: PlannedRun): boolean {
    if (this.underWay.has(id) || this.leftAlone.has(id)) return false;
    const standing = this.standings.get(id);
    if (standing === "failed") return this.mayTryAgain(id);
    return standing === "pending" || standing === "interrupted";
  }

  /** What failed in an earlier call is begun again once by this one. */
  private mayTryAgain(id: string): boolean {
    const failure = FAILURE.read(this.options.folder, id);
    return failure === null || failure.call !== this.options.call || failure.times <= this.options.plan.retries;
  }

  /** Claims a run, if nobody else has, and starts it, or takes its results from one that trained the same. */
  private async takeUp(run: PlannedRun): Promise<void> {
    const { folder, onEvent } = this.options;
    const held = claim(notesFolderOf(folder, run.id));
    if (held === null) {
      this.standings.set(run.id, "running");
      return;
    }
    const slot = this.freeSlot();
    try {
      // Between looking and claiming another sweeper may have done it.
      const standing = await standingUnderClaim(folder, run);
      const source = isDone(standing) ? null : await this.sources.of(run, this.finished());
      if (source !== null) TAKEN.write(folder, run.id, { from: source.id });
      if (isDone(standing) || source !== null) {
        held.release();
        this.standings.set(run.id, source === null ? standing : "taken");
        if (source !== null) onEvent({ type: "taken", run, from: source });
        return;
      }
      const process = this.options.startRun({
        folder,
        run,
        slot,
        onDecision: (decision) => this.decided(run, decision),
      });
      onEvent({ type: "started", run, resumed: process.resumed });
      this.standings.set(run.id, "running");
      this.underWay.set(run.id, { run, slot, claim: held, process, over: this.follow(run, held, process) });
    } catch (error) {
      held.release();
      if (!(error instanceof UserError)) throw error;
      this.standings.set(run.id, "failed");
      this.ended(run, { outcome: "failed", message: error.message, output: "" });
    }
  }

  private finished(): PlannedRun[] {
    return this.options.plan.runs.filter(({ id }) => this.standings.get(id) === "finished");
  }

  private freeSlot(): Slot {
    const used = new Set([...this.underWay.values()].map(({ slot }) => slot.index));
    return this.options.slots.find(({ index }) => !used.has(index))!;
  }

  private decided(run: PlannedRun, decision: Decision): void {
    if (decision.type !== "interval/decided" || decision.source === "fixed") return;
    this.options.onEvent({ type: "decided", run, decision });
  }

  private async follow(run: PlannedRun, held: Claim, process: RunProcess): Promise<void> {
    const end = await process.ended.catch((error: unknown): RunEnd => {
      // Its results may not be readable, or the disk be full: that is one run's failure.
      return { outcome: "failed", message: error instanceof Error ? error.message : String(error), output: "" };
    });
    const isHeld = held.isHeld();
    if (isHeld) this.ended(run, end);
    else this.options.onEvent({ type: "stopped", run, why: "claim lost" });
    held.release();
    this.underWay.delete(run.id);
    this.standings.set(run.id, await standingOf(this.options.folder, run));
    this.changed = true;
    this.wake();
  }

  private ended(run: PlannedRun, end: RunEnd): void {
    const { folder, call, plan, onEvent, failFast } = this.options;
    switch (end.outcome) {
      case "finished":
        FAILURE.remove(folder, run.id);
        onEvent({ type: "finished", run });
        return;
      case "stopped":
        if (this.stopping === null) this.leftAlone.add(run.id);
        onEvent({ type: "stopped", run, why: this.stopping === null ? "by an operator" : "asked" });
        return;
      case "failed": {
        const before = FAILURE.read(folder, run.id);
        const times = before?.call === call ? before.times + 1 : 1;
        FAILURE.write(folder, run.id, { call, times, message: end.message, output: end.output });
        onEvent({ type: "failed", run, end, again: times <= plan.retries && !failFast });
        if (failFast) this.stop("failed");
      }
    }
  }

  /** Whether something may yet become free for this call to do. */
  private isAnybodyAtWork(): boolean {
    return this.unfinished.some(({ id }) => this.standings.get(id) === "running");
  }

  private async change(): Promise<void> {
    const pause = this.options.pollMilliseconds ?? POLL_MILLISECONDS;
    if (!this.changed)
      await new Promise<void>((done) => {
        const timer = setTimeout(done, pause);
        this.wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    this.changed = false;
  }

  private heedTime(): void {
    const left = this.options.secondsLeft?.() ?? null;
    if (this.stopping === null && left !== null && left < (this.options.stopSeconds ?? STOP_SECONDS)) this.stop("time");
  }

  private heedClaims(): void {
    for (const { run, claim: held, process } of this.underWay.values()) {
      if (held.isHeld() || this.lost.has(run.id)) continue;
      this.lost.add(run.id);
      process.stop();
    }
  }
}

/** Of a run that this process holds: nobody else is at work at it. */
async function standingUnderClaim(folder: string, run: PlannedRun): Promise<RunStanding> {
  const standing = await standingOf(folder, run);
  return standing === "running" ? "pending" : standing;
}
