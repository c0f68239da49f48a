import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");

export interface Nursery {
  /** A program that takes Python's place: it forks what can be forked, and is the real interpreter otherwise. */
  readonly python: string;
  /** The environment that what is forked must have; that of the nursery. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it, and what it forked. */
  readonly end: () => Promise<void>;
}

/** It needs Linux: `prctl`, and sockets that keep messages whole. */
export const CAN_FORK = process.platform === "linux";

/**
 * Starts nursery.py, to serve until this process ends or its standard input is closed; `folder` is for its files. Where
 * none can serve, the real interpreter stands in its place.
 */
export async function startNursery(python: string, folder: string): Promise<Nursery> {
  mkdirSync(join(folder, "huggingface"));
  const environment = {
    // No test needs what lies in anybody's cache, or on a network.
    HF_HOME: join(folder, "huggingface"),
    HF_HUB_OFFLINE: "1",
    OMP_NUM_THREADS: "1",
    MKL_NUM_THREADS: "1",
  };
  if (!CAN_FORK) return { python, environment, end: () => Promise.resolve() };
  const socket = join(folder, "nursery");
  const child = spawn(python, [join(import.meta.dirname, "nursery.py"), socket], {
    // pyarrow starts a thread when it is imported, and a process with threads cannot be forked.
    env: {
      ...process.env,
      ...environment,
      PYTHONPATH: join(ROOT, "python"),
      JE_ARROW_MALLOC_CONF: "background_thread:false",
    },
    stdio: ["pipe", "pipe", "inherit"],
    // Ctrl-C is for whoever tests; the nursery ends with them.
    detached: true,
  });
  const exited = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  await Promise.race([once(child.stdout, "data"), exited]);
  const stub = join(folder, "python");
  const command = [python, "-I", "-S", join(import.meta.dirname, "stub.py"), socket, python].map((word) => `"${word}"`);
  writeFileSync(stub, `#!/bin/sh\nexec ${command.join(" ")} "$@"\n`, { mode: 0o755 });
  return { python: stub, environment, end };
}

/** The interpreter that a test uses as it is: the one named by the environment, the checkout's, or `python3`. */
export function realPython(): string {
  const own = join(ROOT, ".venv", "bin", "python");
  return process.env["THAWLINE_PYTHON"] || (existsSync(own) ? own : "python3");
}
