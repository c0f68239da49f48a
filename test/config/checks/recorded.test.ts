import { describe, expect, it } from "vitest";
import { loadAttachedConfig } from "../../../src/config/attached.js";
import { UserError } from "../../../src/errors.js";
import { outcomeOf } from "../outcome.js";

/** Of a script's run: `accepted`, or the sentence and what to do. */
function outcome(...overrides: string[]): string {
  const script = { command: ["python"] as [string, ...string[]], folder: "/", restart: false };
  try {
    loadAttachedConfig({ file: null, overrides, env: {}, cwd: "/", script });
    return "accepted";
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${error.message} / ${error.hint}`;
  }
}

const LOSS = "intervention.signal=recorded:validation_loss";

describe("a recorded signal", () => {
  it("has the plateau for its rule, and what that rule can be told", () => {
    const script = { command: ["python"] as [string, ...string[]], folder: "/", restart: false };
    const load = (...overrides: string[]): unknown =>
      loadAttachedConfig({ file: null, overrides, env: {}, cwd: "/", script });
    expect(load(LOSS)).toMatchObject({
      probe: { metrics: [] },
      intervention: { k: "online", rule: "plateau", mode: "min", tau: 3, epsilon: 0.02, k_max: null },
    });
    expect(load(LOSS, "intervention.mode=max", "intervention.tau=5", "probe.metrics=[fisher_trace]")).toMatchObject({
      probe: { every: 10, metrics: ["fisher_trace"] },
      intervention: { mode: "max", tau: 5 },
    });
    expect(load()).not.toHaveProperty("intervention.rule");
    expect(outcome("intervention.rule=stabilization")).toBe("accepted");
  });

  it("is refused with a rule that has no meaning for it, and so is its rule for a measured one", () => {
    expect(outcome(LOSS, "intervention.rule=stabilization")).toMatchInlineSnapshot(
      `"command line: \`intervention.rule\` is \`stabilization\`, which needs the error of every change: of \`recorded:validation_loss\` it is not known / set \`intervention.rule=plateau\`, or leave it out"`,
    );
    expect(outcome("intervention.rule=plateau")).toMatchInlineSnapshot(
      `"command line: \`intervention.rule\` is \`plateau\`, which has to know which values are better: of \`fisher_trace\` none are / leave \`intervention.rule\` out, or set \`signal\` to \`recorded:NAME\`"`,
    );
    expect(outcome("intervention.mode=max")).toMatchInlineSnapshot(
      `"command line: \`intervention.mode\` has no effect: \`intervention.signal\` is \`fisher_trace\`, of which no value is the better one / remove \`intervention.mode\`"`,
    );
  });

  it("has a name that a script may record under", () => {
    expect(outcome("intervention.signal=recorded:sharpness_avg")).toMatchInlineSnapshot(
      `"command line: \`intervention.signal\` is \`recorded:sharpness_avg\`, but \`sharpness_avg\` is measured, and no script may record under its name / write \`intervention.signal=sharpness_avg\` for what is measured, or record under another name"`,
    );
    for (const name of ["9th", "a b", "x".repeat(65), "ü"]) {
      expect(outcome(`intervention.signal=recorded:${name}`)).toContain("expected `recorded:` and a name");
    }
    for (const name of ["val/loss", "a.b-c_9", "x".repeat(64)]) {
      expect(outcome(`intervention.signal=recorded:${name}`)).toBe("accepted");
    }
  });

  it("leaves the keys of a probe without effect, where none is to be measured beside it", () => {
    expect(outcome(LOSS, "probe.every=5")).toMatchInlineSnapshot(
      `"command line: \`probe.every\` has no effect: \`intervention.signal\` is \`recorded:validation_loss\`, and \`probe.metrics\` names nothing to measure beside it / remove \`probe.every\`"`,
    );
    expect(outcome(LOSS, "probe.every=5", "probe.metrics=[fisher_trace]")).toBe("accepted");
  });
});

describe("a recorded signal of a built-in training", () => {
  it("is a score on its development set, of which higher values are better", () => {
    expect(outcomeOf("quickstart", LOSS)).toMatchInlineSnapshot(
      `"command line: \`intervention.signal\` is \`recorded:validation_loss\`, but without \`evaluate.development\` there is no development set / set \`evaluate.development\`, for example to 1000 images, and \`evaluate.every\`, for example to 100"`,
    );
    const text = ["data.path=/data", "model.pretrained=/encoder"];
    const ofText = (...overrides: string[]): string => outcomeOf("xquad-small", ...text, ...overrides);
    expect(ofText(LOSS)).toBe("accepted");
    expect(ofText(LOSS, "intervention.mode=max")).toMatchInlineSnapshot(
      `"command line: \`intervention.mode\` is \`max\`, but of \`recorded:validation_loss\` lower values are better / set \`intervention.mode=min\`"`,
    );
    expect(ofText("intervention.signal=recorded:speed")).toMatchInlineSnapshot(
      `"command line: \`intervention.signal\` is \`recorded:speed\`, which a training of \`data.kind=xquad_articles\` does not record / it records \`recorded:validation_loss\`, \`recorded:development_f1\`, \`recorded:development_exact_match\`"`,
    );
    const f1 = "intervention.signal=recorded:development_f1";
    expect(ofText(f1)).toMatchInlineSnapshot(
      `"command line: \`intervention.mode\` is \`min\`, but of \`recorded:development_f1\` higher values are better / set \`intervention.mode=max\`"`,
    );
    expect(ofText(f1, "intervention.mode=max", "evaluate.every=null")).toContain("is not scored");
    expect(ofText(f1, "intervention.mode=max")).toBe("accepted");
    expect(ofText(LOSS, "evaluate.every=null")).toContain("is not scored");
    const images = (...overrides: string[]): string =>
      outcomeOf("quickstart", "evaluate.development=500", ...overrides);
    expect(images(LOSS)).toContain("is not scored");
    expect(images(LOSS, "evaluate.every=50")).toBe("accepted");
    const accuracy = "intervention.signal=recorded:development_accuracy";
    expect(images(accuracy, "intervention.mode=max", "evaluate.every=50")).toBe("accepted");
    expect(images(f1, "intervention.mode=max", "evaluate.every=50")).toContain("does not record");
  });
});
