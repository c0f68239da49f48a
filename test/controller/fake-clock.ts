import type { Clock } from "../../src/controller/clock.js";

interface Timer {
  readonly at: number;
  readonly ring: () => void;
}

/** Time that stands until a test lets it pass. */
export class FakeClock implements Clock {
  private time = 5_000;
  private readonly timers = new Set<Timer>();

  readonly now = (): number => this.time;

  readonly date = (): Date => new Date(Date.UTC(2026, 0, 1) + this.time);

  readonly sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const abort = (): void => reject(new DOMException("aborted", "AbortError"));
      if (signal?.aborted === true) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      if (milliseconds <= 0) resolve();
      else this.set(this.time + milliseconds, resolve);
    });

  readonly every = (milliseconds: number, task: () => void): (() => void) => {
    let timer: Timer;
    const wind = (): void => {
      timer = this.set(this.time + milliseconds, () => {
        wind();
        task();
      });
    };
    wind();
    return () => void this.timers.delete(timer);
  };

  /** Lets time pass; whoever wakes up in it does what it can do at once before the next one wakes. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (let next = await this.nextBefore(end); next !== null; next = await this.nextBefore(end)) {
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.ring();
    }
    this.time = end;
  }

  /** Time passes and nobody wakes up in it: the process stands still, as after SIGSTOP. */
  standStill(milliseconds: number): void {
    this.time += milliseconds;
  }

  private async nextBefore(end: number): Promise<Timer | null> {
    await new Promise((resolve) => setImmediate(resolve));
    const [first] = [...this.timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
    return first ?? null;
  }

  private set(at: number, ring: () => void): Timer {
    const timer = { at, ring };
    this.timers.add(timer);
    return timer;
  }
}
