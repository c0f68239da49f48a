/**
 * The one place where callbacks of timers, sockets, files and signals are made. Node ends a process in which one of them
 * throws; what these throw reaches the run's controller, which journals it and ends its worker before it goes.
 */
export class Faults {
  private listener: ((error: unknown) => void) | null = null;
  private readonly early: unknown[] = [];

  /** Takes a fault of our own from where nobody waits for it; what comes before `listen` is kept for it. */
  readonly report = (error: unknown): void => {
    if (this.listener === null) this.early.push(error);
    else this.listener(error);
  };

  /** The listener hears of every fault, also of those before it listened. */
  listen(listener: (error: unknown) => void): void {
    this.listener = listener;
    for (const error of this.early.splice(0)) listener(error);
  }

  /** `task` as a callback that never throws, nor rejects where it is asynchronous. */
  callback<A extends unknown[]>(task: (...args: A) => void | Promise<void>): (...args: A) => void {
    return (...args) => {
      try {
        Promise.resolve(task(...args)).catch(this.report);
      } catch (error) {
        this.report(error);
      }
    };
  }
}
