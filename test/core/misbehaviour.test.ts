import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Event, WorkerEvent, WorkerEventBodies } from "../../src/core/events.js";
import { reduce } from "../../src/core/reduce.js";
import type { State } from "../../src/core/state.js";
import type { Body } from "../../src/protocol/messages.js";
import { checkInvariants } from "./interleavings.js";
import { simulatedConfig, SimulatedRun, trainingOf } from "../support/simulated-run.js";
import { weightsSha256 } from "../support/simulated-weights.js";
import { factsOf, type WorkerFacts } from "../support/worker-facts.js";

const SECONDS = { train: 1, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };
const SHA256 = weightsSha256(7);
const METRIC = { value: 9, standard_error: 0, change_standard_error: 0, span_standard_error: 0, seconds: 1 };

type Saying = { [T in keyof WorkerEventBodies]: readonly [T, WorkerEventBodies[T]] }[keyof WorkerEventBodies];

function boundary(update: number, recalled = false, keys: readonly string[] = []): Saying {
  const metrics = keys.map((key) => ({ key, ...METRIC }));
  return ["worker/reachedBoundary", { update, recalled, metrics, seconds: SECONDS }];
}

function applied(update: number, numTrainable: number): Saying {
  const rates = { learning_rates: [0.1] };
  return ["worker/applied", { update, trainable_sha256: SHA256, num_trainable: numTrainable, ...rates }];
}

const hello = { protocol: { major: 1, minor: 0 }, pid: 1, host: "x", attempt: 1, versions: {} };
const ready = {
  blocks: [],
  head: { name: "head", num_params: 5 },
  num_updates: 60,
  updates_per_epoch: null,
  learning_rates: [],
  device: "cpu",
  threads: 1,
  seed: 0,
  resumed_from: 0,
  can: [],
};

function numTrainable(grant: Body<"grant">): number {
  return 5 + 10 * (grant.trainable.length - 1);
}

/** What no honest worker says, given where the attempt stands; null where it cannot be said wrongly. */
const LIES: Record<string, (worker: WorkerFacts, state: State) => Saying | null> = {
  "a second hello": ({ update }) => (update === 0 ? null : ["worker/connected", hello]),
  "ready when nobody asked": ({ update }) => (update === 0 ? null : ["worker/prepared", ready]),
  "a boundary without a grant": ({ grant, update }) => (grant === null ? boundary(update) : null),
  "a boundary beyond the grant": ({ grant }) => (grant === null ? null : boundary(grant.until! + 1)),
  "a boundary that it has passed": ({ grant, update }) => (grant === null ? null : boundary(update - 1, true)),
  "a boundary before the end of the grant": ({ grant, update }) =>
    grant !== null && grant.until! > update ? boundary(grant.until! - 1) : null,
  "a recall that nobody sent": ({ grant, recalled }) =>
    grant === null || recalled ? null : boundary(grant.until!, true),
  "a boundary with its orders unheeded": ({ grant, applied }) =>
    grant === null || applied || grant.orders.length === 0 ? null : boundary(grant.until!),
  "a signal that nobody wanted": ({ grant, applied }) =>
    grant === null || grant.probe.length > 0 || (grant.orders.length > 0 && !applied)
      ? null
      : boundary(grant.until!, false, ["probe/fisher_trace"]),
  "another number of trainable parameters": ({ grant, update }) =>
    grant === null ? null : applied(update, numTrainable(grant) + 1),
  "applied at another update": ({ grant, update }) =>
    grant === null ? null : applied(update + 1, numTrainable(grant)),
  "applied without a grant": ({ grant, update }) => (grant === null ? applied(update, 5) : null),
  "applied without the checkpoint": ({ grant, update }, { weights: { checkpoints } }) =>
    grant === null || !grant.orders.includes("checkpoint") || checkpoints.some(({ step }) => step === update - 1)
      ? null
      : applied(update, numTrainable(grant)),
  "a checkpoint from ahead": ({ grant, update }) => [
    "worker/checkpointed",
    { step: grant?.until ?? update, path: "checkpoints/x", manifest_sha256: SHA256, weights_sha256: SHA256 },
  ],
  "a checkpoint from the past": ({ update }) =>
    update < 2
      ? null
      : [
          "worker/checkpointed",
          { step: update - 2, path: "checkpoints/x", manifest_sha256: SHA256, weights_sha256: SHA256 },
        ],
  "an evaluation from ahead": ({ grant, update }) => [
    "worker/evaluated",
    { step: grant?.until ?? update, split: "in_dist", values: {}, num_examples: 1, regenerated: false },
  ],
  "progress beyond the grant": ({ grant }) =>
    grant === null
      ? null
      : ["worker/progressed", { step: grant.until!, loss: 1, samples_per_second: 1, phase: "train", detail: "" }],
  "a stop that nobody ordered": ({ update }, { operator: { interrupted } }) =>
    interrupted === null ? ["worker/closed", { outcome: "stopped", step: update, seconds: SECONDS }] : null,
  "an early finish": ({ update }) =>
    update === 61
      ? null
      : ["worker/closed", { outcome: "finished", step: update, weights_sha256: SHA256, seconds: SECONDS }],
};

/** What must be as if nothing had been said. */
function decidedSoFar({
  signal: { series },
  interval,
  operator: { changes: operatorChanges },
  weights: { checkpoints },
  scores: { evaluations, evaluatedAt },
}: State): unknown {
  return { series, interval, operatorChanges, checkpoints, evaluations, evaluatedAt };
}

function runAt(units: number, paused: boolean): SimulatedRun {
  const config = simulatedConfig("intervention.k_max=20");
  const run = new SimulatedRun(config, trainingOf(config), checkInvariants);
  run.act({ do: "work", times: units });
  if (paused && run.state.end === null) {
    run.act({ do: "request", request: { verb: "pause" } });
    run.act({ do: "work", times: 4 });
  }
  return run;
}

const calmWeights = new SimulatedRun(simulatedConfig("intervention.k_max=20")).finish().state.weights.sha256;
const places = fc.tuple(fc.integer({ min: 3, max: 125 }), fc.boolean());

describe("a worker's lie", () => {
  it.each(Object.keys(LIES))("%s: ends the attempt and leaves no trace", (lie) => {
    let told = 0;
    const property = fc.property(places, ([units, paused]) => {
      const run = runAt(units, paused);
      const { attempt, end } = run.state;
      if (attempt === null || end !== null || attempt.stage === "stopping" || attempt.stage === "closed") return;
      const saying = LIES[lie]!(factsOf(attempt), run.state);
      if (saying === null) return;
      told += 1;
      const before = decidedSoFar(run.state);
      run.say(...(saying as [keyof WorkerEventBodies, never]));
      expect(run.decided("attempt/ended")).toHaveLength(1);
      expect(decidedSoFar(run.state)).toEqual(before);
      expect(run.finish().state.weights.sha256).toBe(calmWeights);
    });
    // The same places each time, so that each lie is certain to find one.
    fc.assert(property, { numRuns: 20, seed: 1 });
    expect(told).toBeGreaterThan(0);
  });

  it("a word after closing: kills the process, and the run is finished all the same", () => {
    const run = runAt(1, false).until(({ attempt }) => attempt?.stage === "closed");
    run.say("worker/closed", {
      outcome: "failed",
      step: 60,
      fault: "code",
      code: "x",
      message: "",
      hint: "",
      traceback: "",
    });
    expect(run.ordered("worker/kill")).toHaveLength(1);
    expect(run.state).toMatchObject({ end: { outcome: "finished" }, weights: { sha256: calmWeights } });
  });

  it("of an attempt that is over changes nothing at all", () => {
    const run = runAt(40, false);
    run.act({ do: "die", lost: 0 });
    run.act({ do: "work", times: 10 });
    for (const lie of Object.values(LIES)) {
      const saying = lie(factsOf(run.state.attempt), run.state);
      if (saying === null) continue;
      const event = { type: saying[0], attempt: 1, body: saying[1] } as WorkerEvent;
      expect(reduce(run.state, event)).toEqual({ state: run.state, decisions: [], commands: [] });
    }
  });
});

const small = fc.integer({ min: 0, max: 64 });
const attempts = fc.integer({ min: 1, max: 3 });

/** Events of every type whose numbers fit together by chance only. */
const events: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constant("controller/started" as const), term: small, pid: small, host: fc.constant("x") }),
  fc.constant<Event>({ type: "controller/interrupted", signal: "SIGINT" }),
  fc.record({ type: fc.constant("attempt/launched" as const), attempt: attempts, pid: small, startTime: fc.string() }),
  fc.record({
    type: fc.constantFrom("attempt/exited" as const),
    attempt: attempts,
    exitCode: fc.option(small),
    signal: fc.constantFrom(null, "SIGKILL"),
    tail: fc.string(),
  }),
  fc.record({
    type: fc.constant("attempt/timedOut" as const),
    attempt: attempts,
    clock: fc.constantFrom("connect" as const, "ready" as const, "progress" as const, "stop" as const),
    seconds: small,
  }),
  fc.record({ type: fc.constant("attempt/violated" as const), attempt: attempts, reason: fc.string() }),
  fc
    .tuple(fc.constantFrom("pause", "continue", "stop", "unfreeze", "evaluate", "checkpoint"), small, small)
    .map(([verb, id, at]): Event => ({ type: "operator/requested", id: String(id), who: "x", request: { verb, at } })),
  fc
    .tuple(fc.constantFrom(...Object.values(LIES)), attempts, small, fc.boolean())
    .map(([lie, attempt, update, granted]) => {
      const body = { until: update + 1, trainable: ["head"], learning_rate_factor: 1 };
      const grant = granted ? { ...body, orders: [], probe: [] } : null;
      const standing = { grant, update, recalled: false, applied: false, trainable: [] };
      const saying = lie(standing, {
        weights: { checkpoints: [] },
        operator: { interrupted: null },
      } as unknown as State);
      const [type, said] = saying ?? ["worker/prepared", { ...ready, resumed_from: 0 }];
      return { type, attempt, body: said } as Event;
    }),
);

describe("events in any order", () => {
  it("never throw, and k is decided once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 110 }), fc.array(events, { maxLength: 40, size: "max" }), (units, all) => {
        const run = runAt(units, false);
        let { state } = run;
        for (const event of all) {
          const next = reduce(state, event).state;
          if (state.interval !== null) expect(next.interval).toEqual(state.interval);
          state = next;
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("a worker that keeps dying", () => {
  const lives = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });

  it("is restarted at most max_restarts times without a newer checkpoint, and the run ends", () => {
    fc.assert(
      fc.property(lives, fc.integer({ min: 0, max: 3 }), fc.boolean(), (units, most, corrupting) => {
        const run = new SimulatedRun(simulatedConfig("intervention.k_max=20", `supervision.max_restarts=${most}`));
        let furthest = -1;
        let launches = 1;
        for (let life = 0; run.state.end === null; life += 1) {
          expect(launches).toBeLessThanOrEqual(most + 1);
          if (corrupting && run.state.attempt?.resumeFrom != null && life % 2 === 1) sayCorrupt(run);
          else run.act({ do: "work", times: units[life % units.length]! });
          run.act({ do: "die", lost: 0 });
          const saved = Math.max(furthest, ...run.state.weights.checkpoints.map(({ step }) => step));
          launches = saved > furthest ? 1 : launches + 1;
          furthest = saved;
        }
        const failed = { outcome: "failed", exitCode: 1, code: "worker_lost" };
        expect(run.state.end).toMatchObject(run.state.end.outcome === "finished" ? { exitCode: 0 } : failed);
      }),
      { numRuns: 60 },
    );
  });

  function sayCorrupt(run: SimulatedRun): void {
    run.act({ do: "work", times: 1 });
    const message = "`weights.safetensors` is not what was written";
    const body = { outcome: "failed", step: 0, fault: "user", code: "corrupt_checkpoint", message } as const;
    run.say("worker/closed", { ...body, hint: "", traceback: "" });
  }
});
