import type { LaunchedWorker, Launcher, LaunchRequest, WorkerExit } from "../../src/launch/launcher.js";
import type { Ledger } from "./ledger.js";

/** A process that lives until the test, or the controller, ends it. */
export class FakeWorker implements LaunchedWorker {
  readonly startTime = "1";
  readonly exited: Promise<WorkerExit>;
  private end!: (exit: WorkerExit) => void;

  constructor(
    readonly pid: number,
    private readonly ledger: Ledger,
  ) {
    this.exited = new Promise((resolve) => (this.end = resolve));
  }

  exit(exitCode: number): void {
    this.end({ exitCode, signal: null });
  }

  kill(): void {
    this.ledger.note(`kill ${this.pid}`);
    this.end({ exitCode: null, signal: "SIGKILL" });
  }
}

/** Starts no processes. The n-th worker has pid 4000 + n. */
export class FakeLauncher implements Launcher {
  readonly requests: LaunchRequest[] = [];
  readonly workers: FakeWorker[] = [];
  /** What the next launches fail with, if anything. */
  refusal: Error | null = null;
  /** Awaited before a worker is there: a slow file system, say. */
  hold: Promise<void> = Promise.resolve();

  constructor(private readonly ledger: Ledger) {}

  async launch(request: LaunchRequest): Promise<LaunchedWorker> {
    this.requests.push(request);
    this.ledger.note(`launch ${this.requests.length}`);
    await this.hold;
    if (this.refusal !== null) throw this.refusal;
    const worker = new FakeWorker(4000 + this.requests.length, this.ledger);
    this.workers.push(worker);
    return worker;
  }
}
