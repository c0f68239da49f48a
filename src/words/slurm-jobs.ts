import { printable } from "../printable.js";

interface StateOfJob {
  readonly state: string;
  readonly reason: string | null;
}

/** How the tasks of a sweep's jobs stand, a line a job: `job 12: 3 running, 5 pending (Resources)`. */
export function describeJobs(jobs: readonly string[], states: ReadonlyMap<string, StateOfJob>): string {
  return jobs
    .flatMap((job) => {
      const tasks = [...states].filter(([task]) => task.split("_")[0] === job).map(([, state]) => state);
      return tasks.length === 0 ? [] : [`job ${job}: ${countStates(tasks)}`];
    })
    .join("\n");
}

function countStates(tasks: readonly StateOfJob[]): string {
  const counts = new Map<string, number>();
  for (const { state, reason } of tasks) {
    // Why it waits is what one wants to know; of others it is mostly said by the state.
    const waits = state === "PENDING" && reason !== null ? ` (${reason})` : "";
    const name = printable(`${state.toLowerCase().replaceAll("_", " ")}${waits}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}
