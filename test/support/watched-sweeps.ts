import type { RunStanding } from "../../src/reading/run-standing.js";
import type { WatchedRun, WatchedSweep } from "../../src/sweep/watched-sweep.js";

/** A run of a sweep that nobody made, as its view is told of it. */
export function watchedRun(
  condition: string,
  seed: number,
  standing: RunStanding,
  more: Partial<WatchedRun> = {},
): WatchedRun {
  const isDone = standing === "finished" || standing === "taken";
  return {
    id: `${condition}-seed${seed}-0123456789`,
    condition,
    seed,
    axes: {},
    folder: `/runs/s/${condition}-seed${seed}-0123456789`,
    standing,
    takenFrom: standing === "taken" ? `online-seed${seed}-0123456789` : null,
    failure: standing === "failed" ? "the loss is not finite at update 12" : null,
    k: isDone && condition !== "standard" ? { value: 57 + seed, source: seed === 1 ? "cap" : "online" } : null,
    scores: isDone ? { "ood/mean": 0.5 + 0.01 * seed, "in_dist/accuracy": 0.9 } : null,
    step: standing === "pending" ? null : isDone ? 60 : 24,
    of: standing === "pending" ? null : 60,
    phase: standing === "running" ? "evaluate" : null,
    seconds: standing === "finished" ? 70 + seed : null,
    secondsLeft: standing === "running" ? 42 : standing === "pending" || standing === "interrupted" ? 70 : null,
    ...more,
  };
}

const STANDINGS: readonly RunStanding[] = ["finished", "taken", "running", "interrupted", "failed", "pending"];

/** As many conditions and seeds as asked for, standing in every way there is. */
export function watchedSweep(numConditions: number, numSeeds: number, more: Partial<WatchedSweep> = {}): WatchedSweep {
  const conditions = Array.from({ length: numConditions }, (_, index) =>
    index === 0 ? "standard" : `online-${index}`,
  );
  const runs = Array.from({ length: numSeeds }, (_, seed) =>
    conditions.map((condition, index) => watchedRun(condition, seed, STANDINGS[(index + seed) % STANDINGS.length]!)),
  ).flat();
  return {
    name: "table2",
    scale: "small",
    folder: "/runs/s",
    conditions,
    score: "ood/mean",
    runs,
    beganAt: 0,
    lastAt: 600_000,
    jobs: {},
    ...more,
  };
}
