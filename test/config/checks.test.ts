import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.js";
import { UserError } from "../../src/errors.js";

function outcome(...overrides: string[]): string {
  try {
    loadConfig({ source: "quickstart", overrides, cwd: "/" });
    return "accepted";
  } catch (error) {
    if (error instanceof UserError) return `${error.message} / ${error.hint}`;
    throw error;
  }
}

describe("findConflicts", () => {
  it("wants the length of training once", () => {
    expect(outcome("train.updates=null")).toMatchInlineSnapshot(
      `"command line: \`train\` says neither \`epochs\` nor \`updates\` / set one of them, for example \`train.epochs=10\`"`,
    );
    expect(outcome("train={epochs: 1, updates: 1}")).toMatchInlineSnapshot(
      `"command line: \`train\` says both \`epochs\` and \`updates\` / remove one of them"`,
    );
  });

  it("wants the signal of an online decision to be measured", () => {
    expect(outcome("probe.metrics=[sharpness_avg]")).toMatchInlineSnapshot(
      `"command line: \`intervention.signal\` is \`fisher_trace\`, which \`probe.metrics\` does not measure / add \`fisher_trace\` to \`probe.metrics\`, or choose a signal that is in it"`,
    );
    expect(outcome("probe.metrics=[sharpness_avg]", "intervention.k=40")).toBe("accepted");
    expect(outcome("probe.metrics=[]", "intervention.kind=none")).toBe("accepted");
    expect(outcome("probe.metrics=[fisher_trace, fisher_trace]")).toMatchInlineSnapshot(
      `"command line: \`probe.metrics\` names \`fisher_trace\` twice / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
  });

  it("wants a probe to end before training does", () => {
    expect(outcome("probe.until=1001")).toMatchInlineSnapshot(
      `"command line: \`probe.until\` is 1001, but training ends after 1000 updates / write \`end\` to measure to the end"`,
    );
    expect(outcome("probe.until=1000")).toBe("accepted");
  });

  it("wants enough training examples", () => {
    expect(outcome("data.max_train_examples=32")).toMatchInlineSnapshot(`
      "\`quickstart\` has 2 problems
        command line: \`probe.points\` is 512, more than the 32 examples of \`data.max_train_examples\`
        command line: \`train.batch_size\` is 64, more than the 32 examples of \`data.max_train_examples\` / \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(outcome("data.max_train_examples=512")).toBe("accepted");
  });
});
