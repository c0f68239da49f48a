import { expect, it } from "vitest";
import { selectDetector } from "../../src/reading/detector-view.js";
import { selectPlateau } from "../../src/reading/plateau-view.js";
import { plateau, QUIET, recordedRun } from "../support/recorded-run.js";
import { SimulatedRun, simulatedConfig } from "../support/simulated-run.js";

it("has every condition met exactly when the rule fires", () => {
  const run = recordedRun(plateau, ...QUIET);
  const seen: boolean[][] = [];
  run.until((state) => {
    const view = selectPlateau(state);
    if (view !== null && view.points > seen.length) {
      seen.push([view.enough.met, view.improved.met, view.plateau.met]);
      expect(view.allMet).toBe(state.signal.judgement!.fired);
      expect(view.allMet).toBe(seen.at(-1)!.every((met) => met));
    }
    return state.interval !== null;
  });
  expect(seen).toEqual([
    ...Array<boolean[]>(3).fill([false, false, false]),
    ...Array<boolean[]>(2).fill([true, true, false]),
    [true, true, true],
  ]);
  expect(selectDetector(run.state)).toBeNull();
});

it("is null where a measured signal is judged", () => {
  const { state } = new SimulatedRun(simulatedConfig()).until(({ interval }) => interval !== null);
  expect(selectPlateau(state)).toBeNull();
  expect(selectDetector(state)).not.toBeNull();
});
