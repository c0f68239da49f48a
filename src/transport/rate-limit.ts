/** Emits at most one report per interval, with the number of those held back since, so that a flood cannot fill a log. */
export class RateLimit {
  private nextAt = -Infinity;
  private suppressed = 0;

  constructor(
    private readonly intervalMilliseconds: number,
    private readonly emit: (reason: string, suppressed: number) => void,
  ) {}

  report(reason: string): void {
    const now = performance.now();
    if (now < this.nextAt) {
      this.suppressed += 1;
      return;
    }
    this.nextAt = now + this.intervalMilliseconds;
    this.emit(reason, this.suppressed);
    this.suppressed = 0;
  }
}
