import type { JobState } from "./job-states.js";
import { submittedJobs } from "./submitted.js";

/** A cluster's controller is asked by everybody: no view needs it more often. */
const EVERY_MILLISECONDS = 60_000;

/** By `<array>_<task>`, or by the id of a job that is no array. */
export type JobStates = Readonly<Record<string, JobState>>;

/** What the scheduler says of a sweep's jobs, for those who look at it again and again; nobody waits for its answer. */
export class JobWatch {
  private states: JobStates = {};
  private askedAt = -Infinity;
  private asking: Promise<void> | null = null;

  /** @param folder of the sweep */
  constructor(private readonly folder: string) {}

  /** What was heard last; asks again where that is a minute ago. */
  known(now: number): JobStates {
    if (now - this.askedAt >= EVERY_MILLISECONDS) void this.ask(now);
    return this.states;
  }

  /** Asks now, unless an answer is awaited already. */
  ask(now: number): Promise<void> {
    this.askedAt = now;
    this.asking ??= this.hear().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  private async hear(): Promise<void> {
    const jobs = submittedJobs(this.folder);
    if (jobs.length === 0) return;
    try {
      // Starting programs is for those who have jobs.
      const { jobStates } = await import("./job-states.js");
      this.states = Object.fromEntries(await jobStates(jobs));
    } catch {
      // What was heard before stands: a sweep is told by its files, and this is an addition.
    }
  }
}
