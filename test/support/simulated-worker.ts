import type { Command } from "../../src/core/commands.js";
import type { WorkerEvent, WorkerEventBodies } from "../../src/core/events.js";
import type { Checkpoint } from "../../src/core/state.js";
import type { Body } from "../../src/protocol/messages.js";
import { pointAt, type Training } from "./simulated-training.js";
import { INITIAL, pathOf, train, weightsSha256, type Disk, type TrainedUpdate } from "./simulated-weights.js";

type Grant = Body<"grant">;
type WorkerCommand = Extract<Command, { type: "worker/welcome" | "worker/grant" | "worker/recall" | "worker/stop" }>;
/** A message, or null for a piece of silent work (or of waiting). */
type Unit = WorkerEvent | null;

const HEAD_PARAMS = 5;
const BLOCK_PARAMS = 10;
const SECONDS = { train: 1, probe: 0.5, wait: 0, evaluate: 0, checkpoint: 0 };

/**
 * A worker that keeps the protocol, without sockets, clocks or tensors: it takes commands and gives events, one unit
 * of work at a time, so that a test can stop the world between any two of them.
 */
export class SimulatedWorker {
  /** What it did in each update of this life. */
  readonly trained = new Map<number, TrainedUpdate>();
  /** The weights after each update of this life. */
  readonly weightsAfter = new Map<number, string>();
  /** What was trainable when each boundary was measured. */
  readonly measuredUnder = new Map<number, readonly string[]>();
  private readonly inbox: WorkerCommand[] = [];
  private readonly life: Generator<Unit, void, void>;
  private memory = INITIAL;
  /** The step of the last boundary. */
  private reported = 0;
  private done = false;
  private recorded: NonNullable<Body<"boundary">["recorded"]> = [];

  constructor(
    readonly attempt: number,
    private readonly training: Training,
    private readonly disk: Disk,
  ) {
    this.life = this.live();
  }

  get isDone(): boolean {
    return this.done;
  }

  receive(command: WorkerCommand): void {
    this.inbox.push(command);
  }

  /** Does one unit of work; null when there is nothing to say. */
  work(): WorkerEvent | null {
    const { value, done } = this.life.next();
    this.done = done === true;
    return value ?? null;
  }

  private *live(): Generator<Unit, void, void> {
    const versions = { torch: "2.13.0" };
    const hello = { protocol: { major: 1, minor: 0 }, pid: 4000 + this.attempt, host: "here", versions };
    yield this.tell("worker/connected", { ...hello, attempt: this.attempt });
    yield* this.load((yield* this.take()) as Extract<WorkerCommand, { type: "worker/welcome" }>);
    let held: Grant | null = null;
    for (;;) {
      const command = yield* this.take();
      if (command.type === "worker/stop") return yield* this.stop(command.body);
      const { body: grant } = command as Extract<WorkerCommand, { type: "worker/grant" }>;
      // A change that a recall comes with waits for the next grant: one that is made is trained with.
      const isCalledBack = this.isRecalled && this.changesIn(grant, held);
      if (isCalledBack || !(yield* this.carryOut(grant))) {
        yield this.boundary(true, []);
        continue;
      }
      const changed = held === null || JSON.stringify(holding(held)) !== JSON.stringify(holding(grant));
      const changes = this.changesIn(grant, held);
      this.freeze(held, grant);
      held = grant;
      if (changed || grant.orders.length > 0) yield this.applied(grant);
      yield* this.trainUnder(grant, changes);
      const early = grant.until === null || this.memory.step + 1 < grant.until;
      const metrics: Body<"boundary">["metrics"] | null = early ? null : yield* this.measure(grant);
      yield this.boundary(early ? this.isRecalled : metrics === null, metrics ?? []);
    }
  }

  private *load({ resumeFrom }: { readonly resumeFrom: Checkpoint | null }): Generator<Unit, void, void> {
    if (resumeFrom !== null) {
      const saved = this.disk.get(resumeFrom.path);
      if (saved === undefined) throw new Error(`${resumeFrom.path} was resumed from but is not on the disk`);
      this.memory = saved;
    }
    this.reported = this.memory.step;
    const { blocks, numUpdates, updatesPerEpoch, can } = this.training;
    yield this.tell("worker/prepared", {
      blocks: blocks.map((name) => ({ name, num_params: BLOCK_PARAMS })),
      head: { name: "head", num_params: HEAD_PARAMS },
      num_updates: numUpdates,
      updates_per_epoch: updatesPerEpoch,
      learning_rates: [0.1],
      device: "cpu",
      threads: 1,
      seed: 0,
      resumed_from: this.memory.step,
      can: [...can],
    });
  }

  /** The next command. A recall that crossed a boundary on its way has been served by that boundary. */
  private *take(): Generator<Unit, WorkerCommand, void> {
    for (;;) {
      const command = this.inbox.shift();
      if (command !== undefined && command.type !== "worker/recall") return command;
      if (command === undefined) yield null;
    }
  }

  private get isRecalled(): boolean {
    return this.inbox.some((command) => command.type === "worker/recall");
  }

  /** Whether what trains is another in the update that the grant begins with than it was before. */
  private changesIn({ until, trainable }: Grant, held: Grant | null): boolean {
    const isLong = until === null || until > this.memory.step + 1;
    return isLong && held !== null && JSON.stringify(held.trainable) !== JSON.stringify(trainable);
  }

  /** False when a recall came first. */
  private *carryOut({ orders, best }: Grant): Generator<Unit, boolean, void> {
    for (const order of orders) {
      switch (order) {
        case "checkpoint":
          yield* this.save();
          break;
        case "keep_best":
          yield* this.keepBest();
          break;
        case "restore_best":
          yield null;
          this.restoreBest(best!);
          break;
        case "validate":
          yield null;
          if (this.isRecalled) return false;
          yield this.validated();
          break;
        case "evaluate":
          for (const split of ["in_dist", "ood/fog"]) {
            yield null;
            if (this.isRecalled) return false;
            yield this.evaluated(split, { accuracy: 1 - 1 / (this.memory.weightsStep + 2) });
          }
      }
    }
    return true;
  }

  private evaluated(split: string, values: Body<"evaluated">["values"]): WorkerEvent {
    const { step } = this.memory;
    return this.tell("worker/evaluated", { step, split, values, num_examples: 100, regenerated: true });
  }

  private validated(): WorkerEvent {
    const { step } = this.memory;
    const loss = { value: this.training.loss(step), standard_error: 0.001 };
    const values = { f1: this.training.score(step), exact_match: 0 };
    return this.tell("worker/evaluated", {
      step,
      split: "development",
      values,
      num_examples: 100,
      regenerated: true,
      loss,
    });
  }

  private *save(): Generator<Unit, void, void> {
    const path = pathOf("checkpoints", this.memory.step);
    this.disk.set(path, this.memory);
    yield null;
    yield this.tell("worker/checkpointed", this.saved(path));
  }

  /** Beside the best before: a worker removes nothing. */
  private *keepBest(): Generator<Unit, void, void> {
    const path = pathOf("best", this.memory.step);
    this.disk.set(path, this.memory);
    yield null;
    yield this.tell("worker/kept", this.saved(path));
  }

  /** Weights only: where training stands is no part of them. */
  private restoreBest({ path, manifest_sha256: sha256 }: NonNullable<Grant["best"]>): void {
    const saved = this.disk.get(path);
    if (saved === undefined) throw new Error(`${path} was to be restored but is not on the disk`);
    if (weightsSha256(saved.weights) !== sha256) throw new Error(`${path} is not what was kept`);
    this.memory = { ...this.memory, weights: saved.weights, weightsStep: saved.weightsStep };
  }

  private saved(path: string): Body<"kept"> {
    const { step, weights } = this.memory;
    const sha256 = weightsSha256(weights);
    return { step, path, manifest_sha256: sha256, weights_sha256: sha256 };
  }

  /** A resumed life begins with what its checkpoint holds, unless that was written before the freezing. */
  private freeze(before: Grant | null, { trainable }: Grant): void {
    const update = this.memory.step + 1;
    const { start, blocks } = this.training;
    const trained = before?.trainable ?? (update === start ? blocks : trainable);
    if (trained.some((name) => !trainable.includes(name))) {
      this.memory = { ...this.memory, frozen: `${update} ${trainable.join(",")}` };
    }
  }

  private *trainUnder(grant: Grant, changes: boolean): Generator<Unit, void, void> {
    const first = this.memory.step + 1;
    const isCalled = (): boolean => this.isRecalled && !(changes && this.memory.step + 1 === first);
    const mayTrain = (): boolean => !isCalled() && this.recorded.length === 0;
    while (mayTrain() && (grant.until === null || this.memory.step + 1 < grant.until)) {
      const update = this.memory.step + 1;
      const trained = { trainable: grant.trainable, factor: grant.learning_rate_factor, ramps: rampsIn(grant, update) };
      this.trained.set(update, trained);
      const weights = train(this.memory, update, trained);
      this.memory = { ...this.memory, step: update, weights, weightsStep: update };
      this.weightsAfter.set(update, weightsSha256(weights));
      this.recorded = Object.entries(this.training.record?.(update) ?? {}).map(([name, value]) => {
        return { name, value, standard_error: null };
      });
      const progress = { loss: 1 / update, samples_per_second: 10, phase: "train", detail: "" } as const;
      yield this.tell("worker/progressed", { step: update, ...progress });
    }
  }

  /** Null when a recall broke it off. */
  private *measure({ probe, trainable }: Grant): Generator<Unit, Body<"boundary">["metrics"] | null, void> {
    const { training, memory } = this;
    const { start, every } = training;
    const update = memory.step + 1;
    const point = pointAt(training, update);
    const known = (ago: number): number | null => {
      const partner = point === ago ? start : start - 1 + (point - ago) * every;
      return memory.measured.includes(partner) ? 0.001 : null;
    };
    const errors = { standard_error: 0.001, change_standard_error: known(1), span_standard_error: known(training.tau) };
    if (probe.length > 0) {
      yield null;
      if (this.isRecalled) return null;
      this.measuredUnder.set(update, trainable);
      this.memory = { ...memory, measured: [...memory.measured, update].slice(-2 * training.tau) };
    }
    return probe.map((name) => ({ key: `probe/${name}`, value: training.signal(update), ...errors, seconds: 0.5 }));
  }

  private *stop({ reason, checkpoint }: Body<"stop">): Generator<Unit, void, void> {
    if (checkpoint) yield* this.save();
    const { step, weights } = this.memory;
    const finished = { outcome: "finished", step, weights_sha256: weightsSha256(weights), seconds: SECONDS } as const;
    yield this.tell("worker/closed", reason === "finished" ? finished : { outcome: "stopped", step, seconds: SECONDS });
  }

  private boundary(recalled: boolean, metrics: Body<"boundary">["metrics"]): WorkerEvent {
    const update = this.memory.step + 1;
    const { cost } = this.training;
    const trained = this.memory.step - this.reported;
    this.reported = this.memory.step;
    const seconds =
      cost === null
        ? SECONDS
        : { ...SECONDS, train: cost.update * trained, probe: metrics.length > 0 ? cost.point : 0 };
    const recorded = this.recorded.length === 0 ? {} : { recorded: this.recorded };
    this.recorded = [];
    return this.tell("worker/reachedBoundary", { update, recalled, metrics, seconds, ...recorded });
  }

  private applied({ trainable, learning_rate_factor }: Grant): WorkerEvent {
    const num_trainable = HEAD_PARAMS + BLOCK_PARAMS * (trainable.length - 1);
    const learning_rates = [0.1 * learning_rate_factor];
    const update = this.memory.step + 1;
    return this.tell("worker/applied", { update, trainable_sha256: weightsSha256(0), num_trainable, learning_rates });
  }

  private tell<T extends keyof WorkerEventBodies>(type: T, body: WorkerEventBodies[T]): WorkerEvent {
    return { type, attempt: this.attempt, body } as unknown as WorkerEvent;
  }
}

function rampsIn({ warming_up: warmingUp = [] }: Grant, update: number): Readonly<Record<string, number>> {
  const shares = warmingUp.flatMap(({ blocks, since, num_updates: numUpdates }) => {
    const index = update - since + 1;
    return blocks.map((block) => [block, Math.min(index / numUpdates, 1)] as const);
  });
  return Object.fromEntries(shares.filter(([, share]) => share < 1));
}

function holding({ trainable, learning_rate_factor }: Grant): unknown {
  return [trainable, learning_rate_factor];
}
