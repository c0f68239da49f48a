import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Training } from "../../src/core/attempt/attempt.js";
import { blockKey, metricsOfBlocks, splitKey } from "../../src/core/block-series.js";
import { reachBoundary } from "../../src/core/boundary.js";
import type { State } from "../../src/core/state.js";
import type { Body, MetricValue } from "../../src/protocol/messages.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

type Metric = Body<"boundary">["metrics"][number];

const CONFIG = simulatedConfig("intervention.k_max=20");
const NONE = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };
const KEY = "probe/gradient_norm";

function metricOf(values: (MetricValue | null)[], errors?: (MetricValue | null)[]): Metric {
  const blocks = { values, seconds: 0.25, ...(errors === undefined ? {} : { standard_errors: errors }) };
  return {
    key: KEY,
    value: 1,
    standard_error: null,
    change_standard_error: null,
    span_standard_error: null,
    seconds: 0,
    blocks,
  };
}

/** The run after a worker told `metric` at boundary `update`, beside what its grant asked for. */
function told(state: State, update: number, metric: Metric) {
  const attempt = { ...state.attempt, stage: "training", recalled: true, update: 1 } as Training;
  return reachBoundary({ ...state, attempt }, attempt, { update, recalled: true, metrics: [metric], seconds: NONE });
}

const begun = () => new SimulatedRun(CONFIG).until(({ progress }) => progress.frontier === 4).state;

it("keeps the key of a metric apart from the name of a block, whatever that is", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (block) => {
      expect(splitKey(blockKey(KEY, block))).toEqual({ metric: KEY, block });
    }),
  );
  expect(splitKey(KEY)).toBeNull();
});

describe("values of blocks", () => {
  const count = begun().model!.blocks.length + 1;
  const rest = Array<null>(count - 2).fill(null);

  it("stand in series of their own, only where something was in scope", () => {
    const { state } = told(begun(), 4, metricOf([2, 3, ...rest], [0.5, null, ...rest]));
    const [head, first] = [state.model!.head.name, state.model!.blocks[0]!.name];
    const point = { update: 4, changeError: null, spanError: null, seconds: 0 };
    expect([...state.signal.series[`${KEY}@${head}`]!]).toEqual([{ ...point, value: 2, standardError: 0.5 }]);
    expect([...state.signal.series[`${KEY}@${first}`]!]).toEqual([{ ...point, value: 3, standardError: null }]);
    expect(Object.keys(state.signal.series).filter((key) => key.startsWith(KEY))).toHaveLength(3);
    expect(metricsOfBlocks({ ...metricOf([]), blocks: undefined }, state.model!)).toEqual([]);
  });

  it("decide nothing: one that is not finite is no word about the signal", () => {
    const { decisions } = told(begun(), 4, metricOf([{ non_finite: "inf" }, ...rest, null]));
    expect(decisions.filter(({ type }) => type === "signal/ignored")).toEqual([]);
  });

  it("must come again as they were, like the signal itself", () => {
    const before = told(begun(), 4, metricOf([2, ...rest, null])).state;
    const { state, decisions } = told(before, 4, metricOf([2.5, ...rest, null]));
    expect(decisions).toContainEqual({
      type: "signal/differed",
      update: 4,
      key: `${KEY}@head`,
      first: "2",
      again: "2.5",
    });
    expect(state.identityDropped.length).toBe(1);
  });

  it("end the attempt of a worker that tells of other blocks than the model has", () => {
    for (const metric of [metricOf([1, 2, 3, ...rest]), metricOf([2, 3, ...rest], [1])]) {
      expect(JSON.stringify(told(begun(), 4, metric).state.attempt)).toContain(`what ${KEY} is, the model has`);
    }
  });
});
