import { expect, it } from "vitest";
import { simulatedConfig } from "../../support/simulated-run.js";

const BUDGET = "probe.budget=0.1";

function refusal(...overrides: string[]): string {
  try {
    simulatedConfig(BUDGET, ...overrides);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

it("is refused where no fourth measurement can come: nothing would be measured otherwise for it", () => {
  const end = ["intervention.kind=none", "probe.until=end", "intervention.k_max=null"];
  expect(refusal("probe.every=20", ...end.slice(0, 2))).toBe("");
  expect(refusal("probe.every=21", ...end.slice(0, 2))).toMatch(
    /`probe.budget` has no effect: .* before update 63, but the last by update 60 \(`train.updates`\)/,
  );
  expect(refusal("probe.every=2", "intervention.k_max=5")).toMatch(/update 6, .* update 5 \(`intervention.k_max`\)/);
  expect(refusal("probe.every=2", "intervention.k_max=6")).toBe("");
  expect(refusal("probe.every=2", "intervention.k_max=5", "probe.until=end")).toBe("");
  expect(refusal("probe.every=1", "probe.until=3")).toMatch(/update 4, .* update 3 \(`probe.until`\)/);
});

it("is counted from the start of the intervention", () => {
  expect(refusal("intervention.start=11", "probe.until=15")).toMatch(/update 16, .* update 15/);
  expect(refusal("intervention.start=11", "probe.until=16")).toBe("");
});

it("is refused by the form of the section where nothing is measured", () => {
  expect(refusal("intervention.k=7")).toMatch(/`probe.budget` has no effect: `intervention.k` is 7/);
  expect(refusal("intervention.kind=none")).toMatch(/`probe.budget` has no effect/);
});

it("is a share: what was meant as per cent is refused", () => {
  expect(refusal("probe.budget=10")).toMatch(/expected a number of at most 1, got `10`/);
  expect(refusal("probe.budget=0")).not.toBe("");
});
