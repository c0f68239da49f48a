import { observe, unobservedRun, type ObservedRun } from "../../src/ui/model/observed-run.js";
import { simulateRun, type RecordedRun } from "./journal-builder.js";

/** The times in a run's life at which its views are looked at. */
export const MOMENTS: Readonly<Record<string, () => RecordedRun>> = {
  starting: () => simulateRun({ until: (state) => state.attempt?.stage === "preparing" }),
  waiting: () => simulateRun({ until: (state) => state.progress.frontier >= 90 }),
  decided: () => simulateRun({ until: (state) => state.interval !== null }),
  unfreezing: () => simulateRun({ until: (state) => (state.progress.latest?.step ?? 0) >= 300 }),
  evaluating: () => simulateRun({ until: (state) => state.scores.evaluations.length >= 8 }),
  finished: () => simulateRun(),
  failed: () => simulateRun({ failAt: 130 }),
};

export function observed({ records }: RecordedRun, runFolder = "runs/quickstart"): ObservedRun {
  return records.reduce(observe, unobservedRun(runFolder));
}
