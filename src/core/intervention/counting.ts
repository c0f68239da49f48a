import type { Intervention } from "../../config/schema.js";

/**
 * An intervention may begin in a later update of the run. Everything about it is then counted from there: the index i
 * of Algorithm 1, k, and the points of a signal. So a start in update s does from update s on what a start in update 1
 * does from update 1 on.
 */

/** The first update of the intervention. A run without one is never before it. */
export function startOf(intervention: Intervention): number {
  return intervention.kind === "none" ? 1 : intervention.start;
}

/** The intervention's own count of an update: 1 in its first one, below 1 before it. */
export function indexAt(intervention: Intervention, update: number): number {
  return update - startOf(intervention) + 1;
}

/** The update of the run that has this index: what k = index means in updates. */
export function updateAt(intervention: Intervention, index: number): number {
  return startOf(intervention) - 1 + index;
}

/** The update in which its mask and rates hold for the first time; 0 stands for the state in which a run begins. */
export function beginsIn(intervention: Intervention): number {
  const start = startOf(intervention);
  return start === 1 ? 0 : start;
}
