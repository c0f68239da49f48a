/** What a controller did to the world, in order: each fake notes its part as one line. */
export class Ledger {
  readonly lines: string[] = [];
  private waiting: (() => void)[] = [];

  note(line: string): void {
    this.lines.push(line);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Resolves once `line` was noted `times` times. */
  async until(line: string, times = 1): Promise<void> {
    while (this.count(line) < times) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  count(line: string): number {
    return this.lines.filter((noted) => noted === line).length;
  }

  /** The lines from the last `line` on. */
  since(line: string): string[] {
    return this.lines.slice(this.lines.lastIndexOf(line));
  }
}
