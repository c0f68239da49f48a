import fc from "fast-check";
import { expect, it } from "vitest";
import { fromDecided, toDecided } from "../../../src/core/attempt/script-decisions.js";
import { deriveSchedule } from "../../../src/core/intervention/kinds.js";
import { learningRateFactorAt, trainableAt } from "../../../src/core/intervention/schedule.js";
import type { OperatorChange } from "../../../src/core/state.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

it("what a script keeps gives the same schedule from its step on", () => {
  const { state } = new SimulatedRun(simulatedConfig()).until(({ progress }) => progress.frontier >= 34);
  const step = 30;
  const before = fc.integer({ min: 1, max: step });
  const change: fc.Arbitrary<OperatorChange> = fc.oneof(
    before.map((update): OperatorChange => ({ kind: "unfreeze", update })),
    fc
      .tuple(before, fc.constantFrom(0, 0.25, 1, 3))
      .map(([update, factor]): OperatorChange => ({ kind: "learningRate", update, factor })),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      const operatorChanges = [...changes].sort((a, b) => a.update - b.update);
      const kept = fromDecided(
        toDecided({ ...state, operator: { ...state.operator, changes: operatorChanges } }),
        step,
      );
      const { intervention, seed } = state.config;
      const schedules = [{ interval: state.interval, operatorChanges }, kept].map((told) =>
        deriveSchedule({ intervention, seed, model: state.model!, ...told }),
      );
      for (let update = step; update <= 60; update += 1) {
        const [ours, theirs] = schedules.map((one) => [trainableAt(one, update), learningRateFactorAt(one, update)]);
        expect(theirs).toEqual(ours);
      }
    }),
  );
});
