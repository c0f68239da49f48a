import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectDetector } from "../../src/reading/detector-view.js";
import type { State } from "../../src/core/state.js";
import { reduce } from "../../src/core/reduce.js";
import { simulateRun } from "../support/journal-builder.js";
import { MOMENTS } from "../support/moments.js";

describe("selectDetector", () => {
  it("has every condition met exactly when the rule fires, at every boundary", () => {
    const shape = fc.record({
      rise: fc.integer({ min: 1, max: 12 }),
      // Small ranges make the recorded noise matter, large wiggles keep the signal from settling.
      height: fc.constantFrom(0.002, 0.01, 1),
      floor: fc.constantFrom(0, 1, 20),
      wiggle: fc.constantFrom(0, 0.02, 0.3),
      noise: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 21, maxLength: 21 }),
    });
    const fired = new Set<string>();
    fc.assert(
      fc.property(shape, ({ rise, height, floor, wiggle, noise }) => {
        const value = (point: number): number =>
          height * (floor + Math.min(1, point / rise) + wiggle * (noise[point] ?? 0));
        const { records } = simulateRun({ signal: value, until: (s) => s.interval !== null });
        let state: State | null = null;
        for (const record of records) {
          state = reduce(state, record.event).state;
          if (state.signal.judgement === null) continue;
          expect(selectDetector(state)!.allMet).toBe(state.signal.judgement.fired);
          if (state.interval !== null) fired.add(state.interval.source);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
    expect([...fired].sort()).toEqual(["cap", "online"]);
  });

  it("shows what is still missing", () => {
    const detector = selectDetector(MOMENTS["waiting"]!().state)!;
    expect(detector).toMatchObject({ phase: "transient", tau: 3, epsilon: 0.02, points: 10, allMet: false });
    expect([detector.moved.met, detector.transient.met, detector.calm.met, detector.noise.met]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });
});
