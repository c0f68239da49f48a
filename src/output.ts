import { write } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { printable, printableStyled } from "./printable.js";
import { Spool } from "./spool.js";

const RETRY_MILLISECONDS = 10;

/**
 * One of the two streams on which the process speaks. Nothing that reads it can hold the process up: what is printed
 * waits its turn, also behind a terminal that was stopped (Ctrl-S) or a pipe that nobody reads. `drained` tells when all
 * of it is out, which is before the process ends.
 */
export class Output {
  private readonly spool = new Spool();
  private draining: Promise<void> | null = null;
  private isGone = false;
  private onGone: () => void = () => undefined;

  /** @param name of the stream, which is opened when it is first used */
  constructor(private readonly name: "stdout" | "stderr") {}

  /** Prints `text` as `printable` shows it. Who prints much waits for `drained` in between. */
  print(text: string): void {
    this.put(printable(text));
  }

  /** As `print`, and lets our own styles through. */
  printStyled(text: string): void {
    this.put(printableStyled(text));
  }

  /** Resolves when everything is out, or nobody is there to read it any more. Never rejects. */
  drained(): Promise<void> {
    return this.draining ?? Promise.resolve();
  }

  /** What is done when the reader goes: `npx thawline presets | head -1` closes the pipe early, which is no error. */
  whenGone(act: () => void): void {
    this.onGone = act;
  }

  private put(text: string): void {
    if (this.isGone) return;
    this.spool.put(Buffer.from(text));
    this.draining ??= this.drain();
  }

  private async drain(): Promise<void> {
    try {
      for (let bytes = this.spool.take(); bytes !== null; bytes = this.spool.take()) await this.write(bytes);
    } catch {
      this.isGone = true;
      this.onGone();
    } finally {
      this.draining = null;
    }
  }

  /** A terminal is written to in a thread: Node itself would wait in the middle of everything else. */
  private write(bytes: Buffer): Promise<void> {
    const stream = process[this.name];
    if (stream.isTTY) return writeInThread(stream.fd, bytes);
    // The callback has the same error; without a listener it would end the process.
    if (stream.listenerCount("error") === 0) stream.on("error", () => undefined);
    return new Promise((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }
}

export const standardOutput = new Output("stdout");
export const standardError = new Output("stderr");

/** Whoever shares a terminal may have told it not to wait: then there is no room for the moment. */
async function writeInThread(descriptor: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const taken = await writePart(descriptor, bytes.subarray(done));
    if (taken === 0) await sleep(RETRY_MILLISECONDS);
    done += taken;
  }
}

function writePart(descriptor: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, taken) => {
      if (error === null) resolve(taken);
      else if (error.code === "EAGAIN") resolve(0);
      else reject(error);
    });
  });
}
