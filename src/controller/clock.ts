import { setTimeout as sleep } from "node:timers/promises";

/** Time as a controller uses it; the tests have one that stands until they move it. */
export interface Clock {
  /** Monotonic milliseconds, comparable with `performance.now`: wall clocks jump. */
  readonly now: () => number;
  /** Wall time, which is for people only. */
  readonly date: () => Date;
  /** @throws AbortError when `signal` aborts it */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Calls `task` again and again; the function that it returns ends that. */
  readonly every: (milliseconds: number, task: () => void | Promise<void>) => () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
  every: (milliseconds, task) => {
    const timer = setInterval(() => void task(), milliseconds);
    return () => clearInterval(timer);
  },
};
