import { loadConfig } from "../../src/config/layers/load.js";
import type { Config } from "../../src/config/schema.js";
import type { Command } from "../../src/core/commands.js";
import type { Event } from "../../src/core/events.js";
import { reduce } from "../../src/core/reduce.js";
import { startOf } from "../../src/core/intervention/counting.js";
import { detectorRule, measuredBy } from "../../src/core/measured.js";
import { countParameters } from "../../src/core/intervention/schedule.js";
import { CORE_VERSION, type State } from "../../src/core/state.js";
import { JOURNAL_FORMAT, type JournalRecord } from "../../src/journal/format.js";
import type { Body, MetricValue } from "../../src/protocol/messages.js";
import { factsOf } from "./worker-facts.js";

/** tr(F) of a narrow ResNet-18 on MNIST, head only, every 10 updates: recorded, rounded. */
const FISHER_TRACE = [
  0.00144, 0.00474, 0.01108, 0.0197, 0.0342, 0.04948, 0.05854, 0.06204, 0.06403, 0.06539, 0.06493, 0.06565, 0.0655,
  0.06444, 0.06468, 0.0648, 0.0649, 0.06412, 0.06316, 0.06379, 0.06417,
];

const BLOCKS = [
  { name: "layer4", num_params: 131_328 },
  { name: "layer3", num_params: 32_960 },
  { name: "layer2", num_params: 8_288 },
  { name: "layer1", num_params: 2_368 },
  { name: "stem", num_params: 88 },
];
const HEAD = { name: "head", num_params: 650 };
const CORRUPTIONS = [
  "shot_noise",
  "impulse_noise",
  "glass_blur",
  "motion_blur",
  "shear",
  "scale",
  "rotate",
  "brightness",
  "translate",
  "stripe",
  "fog",
  "spatter",
  "dotted_line",
  "zigzag",
  "canny_edges",
];
const SECONDS_PER_UPDATE = 0.045;
const SHA = "0123456789abcdef".repeat(4);

/** The quickstart preset, with `a.b=value` settings over it. */
export function quickstartConfig(...overrides: string[]): Config {
  const config = loadConfig({ source: "quickstart", overrides, cwd: "/" });
  return { ...config, data: { ...config.data, path: "/data/mnist" } as Config["data"] };
}

export interface RecordedRun {
  readonly records: readonly JournalRecord[];
  readonly state: State;
}

export interface SimulationOptions {
  readonly config?: Config;
  /** Value of the signal at point j; default: the recorded tr(F). */
  readonly signal?: (point: number) => MetricValue;
  /** Accuracy on each split, in their order: clean, then the corruptions. */
  readonly accuracy?: (split: string, index: number) => number;
  /** Loss after `step` updates. */
  readonly loss?: (step: number) => MetricValue;
  /** Where each record goes; default: they are kept in `records`. */
  readonly onRecord?: (record: JournalRecord) => void;
  /** The simulation ends as soon as this holds; default: when the run has ended. */
  readonly until?: (state: State) => boolean;
  /** Fails the worker at the first boundary at or after this update. */
  readonly failAt?: number;
  /** Events of the outside world, injected once the worker stands at or beyond an update. */
  readonly outside?: readonly { readonly at: number; readonly event: Event }[];
}

/**
 * A run that never ran: a worker in words answers the commands of the real core, so the records are what a journal
 * of such a run would hold.
 */
export function simulateRun(options: SimulationOptions = {}): RecordedRun {
  const simulation = new Simulation(options);
  simulation.play();
  return simulation;
}

class Simulation implements RecordedRun {
  readonly records: JournalRecord[] = [];
  state: State;
  readonly #options: SimulationOptions;
  readonly #config: Config;
  #numRecords = 0;
  #time = Date.parse("2026-11-23T12:00:00.000Z");
  #commands: Command[] = [];
  #outside: { at: number; event: Event }[];
  #trainable = "";
  /** Spent on orders since the last boundary. */
  #spent = { evaluate: 0, checkpoint: 0 };

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#config = options.config ?? quickstartConfig();
    this.#outside = [...(options.outside ?? [])];
    const created: Event = {
      type: "run/created",
      format: JOURNAL_FORMAT,
      coreVersion: CORE_VERSION,
      run: `${this.#config.name}-2026-11-23-120000`,
      config: this.#config,
    };
    this.state = reduce(null, created).state;
    this.#record(created, [], []);
  }

  play(): void {
    const until = this.#options.until ?? (() => false);
    this.#hear({ type: "controller/started", term: 1, pid: 4700, host: "node-3" }, 0.1);
    while (this.#commands.length > 0 && !until(this.state)) {
      const request = this.#commands.shift()!;
      this.#obey(request, until);
    }
  }

  #record(event: Event, decisions: readonly object[], commands: readonly object[]): void {
    this.#numRecords += 1;
    const record = { n: this.#numRecords, term: this.state.term, at: new Date(this.#time).toISOString(), event };
    const more = { ...(decisions.length > 0 && { decisions }), ...(commands.length > 0 && { commands }) };
    const keep = this.#options.onRecord ?? ((one) => this.records.push(one));
    keep({ ...record, ...more } as JournalRecord);
  }

  #hear(event: Event, secondsLater: number): void {
    this.#time += Math.round(secondsLater * 1000);
    const { state, decisions, commands } = reduce(this.state, event);
    this.state = state;
    this.#record(event, decisions, commands);
    this.#commands.push(...commands);
  }

  #obey(command: Command, until: (state: State) => boolean): void {
    switch (command.type) {
      case "worker/launch":
        return this.#launch(command.attempt);
      case "worker/welcome":
        return this.#prepare(command.attempt, command.resumeFrom?.step ?? 0);
      case "worker/grant":
        return this.#train(command.attempt, command.body, until);
      case "worker/stop":
        return this.#close(command.attempt, command.body);
      case "worker/kill":
        return this.#hear(
          { type: "attempt/exited", attempt: command.attempt, exitCode: null, signal: "SIGKILL", tail: "" },
          0.1,
        );
      default:
        return;
    }
  }

  #launch(attempt: number): void {
    this.#hear({ type: "attempt/launched", attempt, pid: 4710 + attempt, startTime: "1" }, 0.2);
    const versions = { python: "3.11.9", torch: "2.13.0", numpy: "2.4.1" };
    const body = { protocol: { major: 1, minor: 0 }, pid: 4710 + attempt, host: "node-3", attempt, versions };
    this.#hear({ type: "worker/connected", attempt, body }, 1.4);
  }

  #prepare(attempt: number, resumedFrom: number): void {
    const body: Body<"ready"> = {
      blocks: BLOCKS,
      head: HEAD,
      num_updates: this.#config.train.updates,
      updates_per_epoch: 938,
      learning_rates: [0.01],
      device: "cpu",
      threads: 1,
      seed: this.#config.seed,
      resumed_from: resumedFrom,
      can: ["checkpoint", "evaluate"],
    };
    this.#trainable = "";
    this.#hear({ type: "worker/prepared", attempt, body }, 2.1);
  }

  #train(attempt: number, grant: Body<"grant">, until: (state: State) => boolean): void {
    const from = factsOf(this.state.attempt).update;
    const to = grant.until ?? from;
    if (grant.orders.length > 0) this.#carryOut(attempt, from - 1, grant.orders, until);
    if (until(this.state)) return;
    const trainable = grant.trainable.join();
    if (grant.orders.length > 0 || (this.#trainable !== "" && trainable !== this.#trainable)) {
      const num_trainable = countParameters(this.state.model!, grant.trainable);
      const body = { update: from, trainable_sha256: SHA, num_trainable, learning_rates: [0.01] };
      this.#hear({ type: "worker/applied", attempt, body }, 0.01);
    }
    this.#trainable = trainable;
    for (let step = from + 9 - (from % 10); step < to; step += 10) this.#progress(attempt, step, from, "train", "");
    if (until(this.state)) return;
    const outside = this.#outside.findIndex(({ at }) => at < to);
    if (outside !== -1) this.#hear(this.#outside.splice(outside, 1)[0]!.event, 0);
    if (factsOf(this.state.attempt).recalled) return this.#reach(attempt, from, Math.min(to, from + 3), true, grant);
    this.#reach(attempt, from, to, false, grant);
  }

  #progress(attempt: number, step: number, from: number, phase: Body<"progress">["phase"], detail: string): void {
    const loss = this.#options.loss?.(step) ?? 0.25 + 2.1 * Math.exp(-step / 90) + 0.08 * Math.sin(step * 1.7);
    const body = { step, loss, samples_per_second: 64 / SECONDS_PER_UPDATE, phase, detail };
    this.#hear(
      { type: "worker/progressed", attempt, body },
      phase === "train" ? SECONDS_PER_UPDATE * Math.min(10, step - from + 1) : 0.6,
    );
  }

  #reach(attempt: number, from: number, update: number, recalled: boolean, grant: Body<"grant">): void {
    if (this.#options.failAt !== undefined && update >= this.#options.failAt) return this.#fail(attempt, update - 1);
    const metrics = recalled ? [] : grant.probe.map((metric) => this.#measure(metric, update));
    const body: Body<"boundary"> = {
      update,
      recalled,
      metrics,
      seconds: {
        train: (update - from) * SECONDS_PER_UPDATE,
        probe: metrics.length * 0.04,
        wait: 0.002,
        ...this.#spent,
      },
    };
    this.#spent = { evaluate: 0, checkpoint: 0 };
    this.#hear({ type: "worker/reachedBoundary", attempt, body }, 0.3);
  }

  #measure(metric: string, update: number): Body<"boundary">["metrics"][number] {
    const start = startOf(this.#config.intervention);
    const point = update === start ? 0 : (update - start + 1) / measuredBy(this.#config)!.every;
    const value = this.#options.signal?.(point) ?? FISHER_TRACE[Math.min(point, FISHER_TRACE.length - 1)]!;
    const paired = point >= detectorRule(this.#config).tau;
    return {
      key: `probe/${metric}`,
      value,
      standard_error: 0.0012,
      change_standard_error: point === 0 ? null : 0.0004,
      span_standard_error: paired ? 0.0006 : null,
      seconds: 0.04,
    };
  }

  #carryOut(attempt: number, step: number, orders: Body<"grant">["orders"], until: (state: State) => boolean): void {
    if (orders.includes("checkpoint")) {
      const body = { step, path: `checkpoints/step-${step}`, manifest_sha256: SHA, weights_sha256: SHA };
      this.#spent.checkpoint += 0.1;
      this.#hear({ type: "worker/checkpointed", attempt, body }, 0.1);
    }
    if (!orders.includes("evaluate")) return;
    const splits = ["in_dist", ...CORRUPTIONS.map((name) => `ood/${name}`)];
    splits.forEach((split, index) => {
      if (until(this.state)) return;
      this.#progress(attempt, step, step, "evaluate", split);
      const accuracy =
        this.#options.accuracy?.(split, index) ?? (index === 0 ? 0.9534 : 0.93 - 0.041 * ((index * 7) % 15));
      const num_examples = index === 0 ? 10_000 : 2000;
      const body = { step, split, values: { accuracy }, num_examples, regenerated: index > 0 };
      this.#spent.evaluate += 1.2;
      this.#hear({ type: "worker/evaluated", attempt, body }, 0.6);
    });
  }

  #fail(attempt: number, step: number): void {
    const body: Body<"closed"> = {
      outcome: "failed",
      step,
      fault: "code",
      code: "non_finite_loss",
      message: `the loss is nan after update ${step} at learning rate 0.01`,
      hint: "lower `train.learning_rate`",
      traceback: "",
    };
    this.#hear({ type: "worker/closed", attempt, body }, 0.1);
    this.#hear({ type: "attempt/exited", attempt, exitCode: 1, signal: null, tail: "" }, 0.1);
  }

  #close(attempt: number, stop: Body<"stop">): void {
    const step = factsOf(this.state.attempt).update - 1;
    if (stop.checkpoint) this.#carryOut(attempt, step, ["checkpoint"], () => false);
    const { seconds } = this.state.progress;
    const body: Body<"closed"> =
      stop.reason === "finished"
        ? { outcome: "finished", step, weights_sha256: SHA, seconds }
        : { outcome: "stopped", step, seconds };
    this.#hear({ type: "worker/closed", attempt, body }, 0.1);
    this.#hear({ type: "attempt/exited", attempt, exitCode: 0, signal: null, tail: "" }, 0.1);
  }
}
