/**
 * What is known of a planned run from its folder alone. `finished`: it has results; `taken`: another run trained the same,
 * whose results are its own; `failed`: it ended as failed and nobody works at it; `running`: somebody does;
 * `interrupted`: begun, unfinished, and nobody does; `pending`: not begun.
 */
export type RunStanding = "finished" | "taken" | "failed" | "running" | "interrupted" | "pending";

/** Whether a run has results, which cannot change any more. */
export function isDone(standing: RunStanding): boolean {
  return standing === "finished" || standing === "taken";
}
