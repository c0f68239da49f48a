import type { RunConfig } from "../../src/config/attached.js";
import type { Command, Decision } from "../../src/core/commands.js";
import type { Event, OperatorRequest, WorkerEvent, WorkerEventBodies } from "../../src/core/events.js";
import { reduce } from "../../src/core/reduce.js";
import { CORE_VERSION, type State } from "../../src/core/state.js";
import { JOURNAL_FORMAT, type JournalRecord } from "../../src/journal/format.js";
import { replayJournal } from "../../src/journal/replay.js";
import type { Disk, TrainedUpdate } from "./simulated-weights.js";
import { trainingOf, type Training } from "./simulated-training.js";
import { SimulatedWorker } from "./simulated-worker.js";

export { BLOCKS, simulatedConfig, simulatedConfigOver, simulatedTextConfig, trainingOf } from "./simulated-training.js";

/** What may happen between two units of work. `work` lets everything else go its ordinary way. */
export type Action =
  | { readonly do: "work"; readonly times: number }
  /** The worker alone goes on: its answers, and what it is told, lie in the queues. */
  | { readonly do: "workAlone"; readonly times: number }
  | { readonly do: "hear" }
  | { readonly do: "tell" }
  /** The worker dies; its last words are lost on the way. */
  | { readonly do: "die"; readonly lost: number }
  /** The controller dies, and the worker with it; the last records, unless they had to be durable, never met the disk. */
  | { readonly do: "crash"; readonly lost: number }
  | { readonly do: "request"; readonly request: OperatorRequest }
  | { readonly do: "interrupt" };

/** More units than any of these runs needs. */
const MOST_UNITS = 20_000;

/** One run in a world without time: a reducer, a journal in memory, a simulated worker, and two queues between them. */
export class SimulatedRun {
  state: State;
  records: JournalRecord[] = [];
  /** The trainable set and the factor of each update, as they were in the life that lasted. */
  readonly trained = new Map<number, TrainedUpdate>();
  /** The weights after each update, as above. */
  readonly weightsAfter = new Map<number, string>();
  /** What was trainable at each boundary that was measured. */
  readonly measuredUnder = new Map<number, readonly string[]>();
  worker: SimulatedWorker | null = null;
  readonly upward: WorkerEvent[] = [];
  private readonly downward: Command[] = [];
  private readonly disk: Disk = new Map();
  private readonly pending: Event[] = [];
  private numCommands = 0;

  constructor(
    config: RunConfig,
    private readonly training: Training = trainingOf(config),
    private readonly onRecord: (record: JournalRecord, before: State, after: State) => void = () => undefined,
  ) {
    const created = {
      type: "run/created",
      format: JOURNAL_FORMAT,
      coreVersion: CORE_VERSION,
      run: "r",
      config,
    } as const;
    this.state = reduce(null, created).state;
    this.record(created, [], []);
    this.start(1);
  }

  private start(term: number): void {
    this.emit({ type: "controller/started", term, pid: 100 + term, host: "here" });
  }

  /** Event, reduce, journal, perform: one event to its end before the next. */
  emit(event: Event): void {
    this.pending.push(event);
    if (this.pending.length > 1) return;
    for (let next = this.pending[0]; next !== undefined; next = this.pending[0]) {
      const before = this.state;
      const { state, decisions, commands } = reduce(before, next);
      this.state = state;
      this.record(next, decisions, commands);
      this.onRecord(this.records.at(-1)!, before, state);
      for (const command of commands) this.perform(command);
      this.pending.shift();
    }
  }

  private record(event: Event, decisions: JournalRecord["decisions"] & {}, commands: readonly Command[]): void {
    const { term } = this.state;
    const at = "2026-01-01T00:00:00.000Z";
    this.records.push({ n: this.records.length + 1, term, at, event, decisions, commands });
  }

  private perform(command: Command): void {
    switch (command.type) {
      case "worker/launch": {
        const { attempt } = command;
        const known = this.knownPaths();
        for (const path of this.disk.keys()) if (!known.includes(path)) this.disk.delete(path);
        this.worker = new SimulatedWorker(attempt, this.training, this.disk);
        this.emit({ type: "attempt/launched", attempt, pid: 4000 + attempt, startTime: "1" });
        return;
      }
      case "worker/kill":
        this.loseWorker(Infinity);
        return;
      case "checkpoint/remove":
        for (const path of command.paths) this.disk.delete(path);
        return;
      case "run/finish":
        return;
      default:
        this.downward.push(command);
    }
  }

  /** What the journal relies on. */
  private knownPaths(): string[] {
    const { checkpoints, best } = this.state.weights;
    return [...checkpoints, ...(best === null ? [] : [best])].map(({ path }) => path);
  }

  /** Of those, what is not on the disk: nothing may ever be. */
  missingPaths(): string[] {
    return this.knownPaths().filter((path) => !this.disk.has(path));
  }

  /** What is on the disk. */
  get paths(): string[] {
    return [...this.disk.keys()];
  }

  /** The worker is gone; all but its last `lost` words still arrive. */
  private loseWorker(lost: number): void {
    const { worker } = this;
    if (worker === null) return;
    const words = this.upward.splice(0).slice(0, lost === 0 ? undefined : -lost);
    this.downward.splice(0);
    this.worker = null;
    for (const word of words) this.emit(word);
    this.emit({ type: "attempt/exited", attempt: worker.attempt, exitCode: null, signal: "SIGKILL", tail: "" });
  }

  act(action: Action): void {
    switch (action.do) {
      case "work":
        for (let unit = 0; unit < action.times; unit += 1) this.step();
        return;
      case "workAlone":
        for (let unit = 0; unit < action.times; unit += 1) this.work();
        return;
      case "hear":
        this.hear();
        return;
      case "tell":
        this.tell();
        return;
      case "die":
        this.loseWorker(action.lost);
        return;
      case "crash":
        this.crash(action.lost);
        return;
      case "request":
        this.numCommands += 1;
        this.emit({ type: "operator/requested", id: `c${this.numCommands}`, who: "me", request: action.request });
        return;
      case "interrupt":
        this.emit({ type: "controller/interrupted", signal: "SIGINT" });
    }
  }

  private work(): void {
    if (this.worker === null) return;
    const said = this.worker.work();
    for (const [update, trained] of this.worker.trained) this.trained.set(update, trained);
    for (const [update, weights] of this.worker.weightsAfter) this.weightsAfter.set(update, weights);
    for (const [update, trainable] of this.worker.measuredUnder) this.measuredUnder.set(update, trainable);
    if (said !== null) this.upward.push(said);
  }

  private hear(): void {
    const said = this.upward.shift();
    if (said !== undefined) this.emit(said);
    else if (this.worker?.isDone === true) {
      const { attempt } = this.worker;
      this.worker = null;
      this.emit({ type: "attempt/exited", attempt, exitCode: 0, signal: null, tail: "" });
    }
  }

  private tell(): void {
    const command = this.downward.shift();
    if (command === undefined || !("attempt" in command) || command.attempt !== this.worker?.attempt) return;
    this.worker.receive(command as Parameters<SimulatedWorker["receive"]>[0]);
  }

  private step(): void {
    while (this.downward.length > 0) this.tell();
    this.work();
    while (this.upward.length > 0) this.hear();
    this.hear();
  }

  private crash(lost: number): void {
    this.worker = null;
    this.upward.splice(0);
    this.downward.splice(0);
    for (let left = lost; left > 0 && !isDurable(this.records.at(-1)!); left -= 1) this.records.pop();
    this.records = JSON.parse(JSON.stringify(this.records)) as JournalRecord[];
    const { term } = this.state;
    this.state = replayJournal(this.records);
    this.start(term + 1);
  }

  /** Lets the run go its ordinary way until `reached`. */
  until(reached: (state: State) => boolean): this {
    for (let unit = 0; !reached(this.state); unit += 1) {
      if (unit === MOST_UNITS) throw new Error("the run never gets there");
      this.step();
    }
    return this;
  }

  /** What was decided so far, of one kind. */
  decided<T extends Decision["type"]>(type: T): Extract<Decision, { type: T }>[] {
    const decisions = this.records.flatMap((record) => record.decisions ?? []);
    return decisions.filter((one): one is Extract<Decision, { type: T }> => one.type === type);
  }

  /** What was ordered so far, of one kind. */
  ordered<T extends Command["type"]>(type: T): Extract<Command, { type: T }>[] {
    const commands = this.records.flatMap((record) => record.commands ?? []);
    return commands.filter((one): one is Extract<Command, { type: T }> => one.type === type);
  }

  /** A word of the present attempt, true or not. */
  say<T extends keyof WorkerEventBodies>(type: T, body: WorkerEventBodies[T]): void {
    this.emit({ type, attempt: this.state.attempt!.number, body } as unknown as WorkerEvent);
  }

  /** Undisturbed from here on: resumed when it was stopped, continued when it was paused. */
  finish(): this {
    for (let unit = 0; this.state.end === null || this.state.end.outcome === "stopped"; unit += 1) {
      if (unit === MOST_UNITS) throw new Error("the run does not end");
      if (this.state.end !== null) this.start(this.state.term + 1);
      if (this.state.operator.paused) this.act({ do: "request", request: { verb: "continue" } });
      this.step();
    }
    return this;
  }
}

/** What the writer must have on the disk before the world may see its effect: decisions, checkpoint orders, ends. */
function isDurable({ event, decisions = [], commands = [] }: JournalRecord): boolean {
  const decides = ["interval/decided", "every/chosen", "block/frozen", "block/unfrozen", "learningRate/changed"];
  return (
    event.type === "run/created" ||
    event.type === "controller/started" ||
    decisions.some(({ type }) => decides.includes(type)) ||
    commands.some(
      (command) =>
        command.type === "run/finish" ||
        command.type === "checkpoint/remove" ||
        (command.type === "worker/grant" && command.body.orders.includes("checkpoint")),
    )
  );
}
