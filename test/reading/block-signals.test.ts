import { expect, it } from "vitest";
import { selectBlockSignals } from "../../src/reading/block-signals.js";
import { composeResults } from "../../src/reading/results.js";
import { signalName } from "../../src/words/names.js";
import { stateWithBlocks } from "../support/block-values.js";

it("is the latest value of the whole and of each block that was in scope, from the top down", () => {
  const state = stateWithBlocks({
    layer4: { "probe/fisher_trace": [0.5, 0.1], "probe/fisher_trace_sum": [5, null] },
    head: { "probe/fisher_trace": [{ non_finite: "inf" }, null] },
  });
  const found = selectBlockSignals(state)!;
  const last = state.signal.series["probe/fisher_trace"]!.at(-1)!;
  expect(found).toEqual({
    update: last.update,
    metrics: ["fisher_trace"],
    rows: [
      { block: null, values: [{ value: last.value, standardError: last.standardError }] },
      { block: "head", values: [{ value: { non_finite: "inf" }, standardError: null }] },
      { block: "layer4", values: [{ value: 0.5, standardError: 0.1 }] },
    ],
  });
  expect(composeResults(state, 0).signals_by_block).toEqual({
    update: last.update,
    blocks: { head: { fisher_trace: null }, layer4: { fisher_trace: 0.5 } },
  });
});

it("is nothing where no blocks were measured", () => {
  const state = stateWithBlocks({});
  expect(selectBlockSignals(state)).toBeNull();
  expect(composeResults(state, 0).signals_by_block).toBeNull();
});

it("has a name for people", () => {
  expect(signalName("probe/fisher_trace@layer4")).toBe("tr(F) of layer4");
});
