import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** How a job left the foreground. */
export interface JobEnd {
  readonly exitCode?: number;
  readonly signal?: string;
  readonly stopped?: string;
}

/** A real terminal (a pty) with a shell's job control, and a person at it who may also look away. */
export class Terminal {
  private readonly driver: ChildProcessByStdio<Writable, Readable, null>;
  private readonly lines: Interface;
  private readonly waiting: ((answer: unknown) => void)[] = [];
  private job = 0;

  constructor(python: string) {
    this.driver = spawn(python, [join(import.meta.dirname, "driver.py")], { stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface({ input: this.driver.stdout });
    this.lines.on("line", (line) => this.waiting.shift()!(JSON.parse(line)));
  }

  resize(rows: number, columns: number): Promise<unknown> {
    return this.ask({ do: "resize", rows, columns });
  }

  async start(command: readonly string[], folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
    this.job = (await this.ask({ do: "start", command, folder, environment })) as number;
  }

  /** Keys as the terminal sends them, in one piece. */
  type(keys: string): Promise<unknown> {
    return this.ask({ do: "type", keys });
  }

  /** A signal to the whole foreground job, as the kernel sends it. */
  signal(signal: NodeJS.Signals): void {
    process.kill(-this.job, signal);
  }

  /** Until the job stops or ends. */
  async end(): Promise<JobEnd> {
    return (await this.ask({ do: "wait" })) as JobEnd;
  }

  /** Puts the stopped job into the foreground again. */
  continue(): Promise<unknown> {
    return this.ask({ do: "continue" });
  }

  /** Whether anybody reads what is drawn. */
  read(on: boolean): Promise<unknown> {
    return this.ask({ do: "read", on });
  }

  /** Everything drawn since it was asked for last, escape sequences and all. */
  async drawn(): Promise<string> {
    return (await this.ask({ do: "drawn" })) as string;
  }

  /** The modes of the terminal: what `stty -a` shows. */
  modes(): Promise<unknown> {
    return this.ask({ do: "modes" });
  }

  close(): void {
    this.driver.stdin.end();
  }

  private ask(order: object): Promise<unknown> {
    return new Promise((answer) => {
      this.waiting.push(answer);
      this.driver.stdin.write(`${JSON.stringify(order)}\n`);
    });
  }
}
