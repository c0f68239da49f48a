import { printable } from "../printable.js";

interface StateOfJob {
  readonly state: string;
  readonly reason: string | null;
}

/** How the tasks of a sweep's jobs stand: for each job `job 12: 3 running, 5 pending (Resources)`. */
export function describeJobs(states: Readonly<Record<string, StateOfJob>>): string[] {
  const tasks = Object.keys(states);
  const jobs = new Set(tasks.map(jobOf));
  return [...jobs].map((job) => {
    const own = tasks.filter((task) => jobOf(task) === job).map((task) => states[task]!);
    return `job ${job}: ${countStates(own)}`;
  });
}

function jobOf(task: string): string {
  return task.split("_")[0]!;
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
