/**
 * What the core grants under every setting of the intervention, for the Python side to train by: no decision is made in
 * Python, so its tests of them need the real ones. test/core/intervention-vectors.test.ts compares the committed file
 * with this; after a change of the core write it with
 *
 *     npx vitest run test/core/intervention-vectors.test.ts --update
 */
import { unfreezingOrder } from "../../../src/core/intervention/block-order.js";
import type { Body } from "../../../src/protocol/messages.js";
import { simulatedConfigOver, SimulatedRun, trainingOf } from "../../support/simulated-run.js";

/** From the top down, as a model names them; `test/python/support/three_blocks.py` has them. */
const BLOCKS = ["top", "middle", "stem"];

const NUM_UPDATES = 12;

/** One whose random order is neither of the other two. */
const SEED = 1;

/** Name of the case -> settings of the intervention. In an online case the signal settles or never does. */
const CASES: Record<string, readonly string[]> = {
  "k = 1": ["k=1"],
  "k = 2": ["k=2"],
  "k = 4, the longest that unfreezes all": ["k=4"],
  "k = 5 leaves the stem frozen": ["k=5"],
  "bottom up": ["k=2", "order=bottom_up"],
  "bottom up, k = 1": ["k=1", "order=bottom_up"],
  "random order": ["k=2", "order=random"],
  "first block at 2k": ["k=2", "first_unfreeze=paper41"],
  "head, then everything": ["kind=head_then_full", "k=4"],
  "head, then everything, online": ["kind=head_then_full", "k=online", "k_max=11"],
  "head, then everything, capped by default": ["kind=head_then_full", "k=online"],
  "head, then everything, late start": ["kind=head_then_full", "k=2", "start=5"],
  "late start": ["k=2", "start=5"],
  "late start, k = 1": ["k=1", "start=5"],
  "late start, bottom up, k = 1": ["k=1", "start=5", "order=bottom_up"],
  "start in the last update": ["k=1", "start=12"],
  "release warm-up": ["k=3", "release_warmup=2"],
  "release warm-up longer than k": ["k=2", "release_warmup=7"],
  "release warm-up beyond the end": ["k=4", "release_warmup=100", "order=bottom_up"],
  "release warm-up, late start": ["k=2", "start=5", "release_warmup=3"],
  "release warm-up, online": ["k=online", "k_max=11", "release_warmup=3"],
  "head, then everything, release warm-up": ["kind=head_then_full", "k=4", "release_warmup=5"],
  online: ["k=online", "k_max=11"],
  "online, capped": ["k=online", "k_max=4"],
  "online, capped by default": ["k=online"],
  "late start, online": ["k=online", "k_max=9", "start=4"],
  "late start, capped by default": ["k=online", "start=4"],
  "low to high": ["kind=learning_rate_switch", "k=5"],
  "low to high, k = 1": ["kind=learning_rate_switch", "k=1"],
  "high to low": ["kind=learning_rate_switch", "k=5", "before=1", "after=0.1"],
  "low to high, online": ["kind=learning_rate_switch", "k=online", "k_max=11"],
  "low to high, capped by default": ["kind=learning_rate_switch", "k=online"],
  "low to high, late start": ["kind=learning_rate_switch", "k=3", "start=5"],
  "high to low, late start": ["kind=learning_rate_switch", "k=3", "start=5", "before=1", "after=0.1"],
  none: ["kind=none"],
};

/** Rises all the way, so that no rule fires and k_max decides. */
const RESTLESS = ["online, capped by default", "head, then everything, capped by default", "late start, capped by default", "low to high, capped by default"];

export interface InterventionVector {
  readonly name: string;
  readonly num_updates: number;
  /** k as it was fixed or decided, or null; the rest as configured. */
  readonly intervention: Record<string, unknown>;
  /** Blocks from the first to be unfrozen to the last. */
  readonly unfreezing_order: readonly string[];
  readonly grants: readonly Body<"grant">[];
}

export function interventionVectors(): InterventionVector[] {
  return Object.entries(CASES).map(([name, settings]) => vector(name, settings));
}

function vector(name: string, settings: readonly string[]): InterventionVector {
  const env = [`seed=${SEED}`, `train.updates=${NUM_UPDATES}`, "probe.every=1", "intervention.tau=2"];
  const config = simulatedConfigOver(env, ...settings.map((setting) => `intervention.${setting}`));
  const restless = RESTLESS.includes(name) ? { signal: (update: number) => update } : {};
  const training = trainingOf(config, { blocks: BLOCKS, can: [], ...restless });
  const run = new SimulatedRun(config, training).finish();
  const { intervention } = config;
  const order = "order" in intervention ? intervention.order : "top_down";
  const blocks = BLOCKS.map((block) => ({ name: block, numParams: 0 }));
  const { interval } = run.state;
  return {
    name,
    num_updates: NUM_UPDATES,
    intervention: { ...intervention, k: interval?.k ?? null },
    unfreezing_order: unfreezingOrder(blocks, order, SEED),
    grants: run.ordered("worker/grant").map(({ body }) => body),
  };
}

/** The committed file: a line a grant, so that a change is seen where it is. */
export function vectorFile(): string {
  const texts = interventionVectors().map(({ grants, ...head }) => {
    const lines = grants.map((grant) => `  ${JSON.stringify(grant)}`).join(",\n");
    return `${JSON.stringify(head).slice(0, -1)},"grants":[\n${lines}\n]}`;
  });
  return `[\n${texts.join(",\n")}\n]\n`;
}
