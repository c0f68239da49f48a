import type { Model, State } from "../../src/core/state.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

/** Nothing but the intervention and its signal makes a boundary. */
export const QUIET = "checkpoint.every=1000";

/** A run whose model is known, standing before update 1. */
export function begun(...overrides: string[]): { state: State; model: Model } {
  const { state } = new SimulatedRun(simulatedConfig(...overrides)).until(({ model }) => model !== null);
  return { state, model: state.model! };
}
