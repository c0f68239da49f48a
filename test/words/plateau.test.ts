import { describe, expect, it } from "vitest";
import { composeResults } from "../../src/reading/results.js";
import { headlineOf } from "../../src/words/headline.js";
import { describeRecord } from "../../src/words/sentences.js";
import { summary } from "../../src/words/summary.js";
import { plateau, QUIET, recordedRun } from "../support/recorded-run.js";
import type { SimulatedRun } from "../support/simulated-run.js";
import { reduce } from "../../src/core/reduce.js";
import type { State } from "../../src/core/state.js";

function linesOf({ records }: SimulatedRun): string[] {
  let state: State | null = null;
  return records.flatMap((record) => {
    state = reduce(state, record.event).state;
    return describeRecord(record, state).map(({ text }) => text);
  });
}

describe("a run whose k is found by what is recorded", () => {
  it("says what it waits for", () => {
    const headlines = new Set<string>();
    recordedRun(plateau, ...QUIET).until((state) => {
      const { badge, text } = headlineOf(state);
      if (badge === "WAITING FOR k") headlines.add(text);
      return state.interval !== null;
    });
    expect([...headlines]).toMatchInlineSnapshot(`
      [
        "loss has not been recorded yet",
        "loss has 1 of the 4 points that a first judgement needs",
        "loss has 2 of the 4 points that a first judgement needs",
        "loss has 3 of the 4 points that a first judgement needs",
        "loss still improves: by 0.43 of its range in its last 2 points, a plateau is 0.02",
        "loss still improves: by 0.14 of its range in its last 2 points, a plateau is 0.02",
      ]
    `);
  });

  it("says what was recorded and what follows from it", () => {
    const run = recordedRun(plateau, ...QUIET).until(({ interval }) => interval !== null);
    expect(linesOf(run).filter((text) => text.includes("loss ") && !text.includes("samples"))).toMatchInlineSnapshot(`
      [
        "loss 8, transient (1 of the 4 points that a first judgement needs)",
        "loss 4, transient (2 of the 4 points that a first judgement needs)",
        "loss 2, transient (3 of the 4 points that a first judgement needs)",
        "loss 1, settling: better by 0.43 of its range",
        "loss 1, settling: better by 0.14 of its range",
        "loss 1, stable: not better (0 of its range)",
        "k = 19: loss has reached a plateau (not better (0 of its range) in 2 points, <= 0.02)",
      ]
    `);
  });

  it("has its summary", () => {
    const { state } = recordedRun(plateau, ...QUIET).finish();
    const text = summary(composeResults(state, 60), { runFolder: "runs/a", state, color: false });
    expect(text.slice(text.indexOf("  k  "), text.indexOf("  in-dist"))).toMatchInlineSnapshot(`
      "  k           19: loss reached a plateau (tau 2, epsilon 0.02, of what was
                    recorded)
                    in hindsight nothing was gained from 13
        signals     every 1000 updates, of the trainable parameters, over 512 training
                    examples in batches of 256
                    tr(F): labels sampled from the model, per example
        recorded    loss 1 before update 61; 20 values, from 1 to 8
      "
    `);
  });
});

it("what never came is named, with what came instead", () => {
  const run = recordedRun((step) => (step === 6 ? { accuracy: 1 } : {}), ...QUIET).finish();
  expect(linesOf(run).filter((text) => /never|was not recorded/.test(text))).toMatchInlineSnapshot(`
    [
      "loss is to decide k and was never recorded, recorded were \`accuracy\`: set \`evaluate.every\` lower, or \`intervention.k_max\` higher",
      "k = 40: k_max, because loss was not recorded: recorded were \`accuracy\`",
    ]
  `);
  const { state } = run;
  const text = summary(composeResults(state, 60), { runFolder: "runs/a", state, color: false });
  expect(text.slice(text.indexOf("  k  "), text.indexOf("  in-dist"))).toMatchInlineSnapshot(`
    "  k           40: k_max reached: loss was never recorded, recorded were
                  \`accuracy\` (tau 2, epsilon 0.02, of what was recorded)
                  frozen to the end: block2, block1
      signals     every 1000 updates, of the trainable parameters, over 512 training
                  examples in batches of 256
                  tr(F): labels sampled from the model, per example
      recorded    accuracy 1 before update 7
    "
  `);
});
