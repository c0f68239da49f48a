import { expect, it } from "vitest";
import { fixedInterval } from "../../../src/core/policies/fixed-interval.js";
import { simulatedConfig } from "../simulated-run.js";

it("knows k from the start", () => {
  expect(fixedInterval.initial(simulatedConfig("intervention.k=7").intervention)).toEqual({
    k: 7,
    source: "fixed",
    signal: null,
    decidedAt: 0,
    kOffline: null,
    kOfflineReason: "k was fixed",
  });
});
