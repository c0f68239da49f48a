import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/layers/load.js";
import type { Config } from "../../src/config/schema.js";
import { control, type ControllerEnd } from "../../src/controller/controller.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { localLauncher } from "../../src/launch/local.js";
import { findPython } from "../../src/launch/python.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { asEnvironment } from "../support/as-environment.js";

/**
 * Real MNIST, a real worker, a run of seconds: a network of width 4 whose tr(F) is measured every 2 updates stabilizes
 * at about update 70, so that two blocks are unfrozen before the end.
 */
export const TINY_RUN: readonly string[] = [
  "name=tiny",
  "model.width=4",
  "data.verify_checksums=false",
  "data.max_train_examples=2048",
  "data.max_test_examples=200",
  "train.updates=150",
  "train.batch_size=32",
  "probe.every=2",
  "probe.points=64",
  "intervention.k_max=90",
  "checkpoint.every=40",
  "evaluate.ood=none",
  "supervision.restart_delay_seconds=0.05",
];

export function tinyConfig(...overrides: string[]): Config {
  return loadConfig({ source: "quickstart", overrides, env: asEnvironment(TINY_RUN), cwd: process.cwd() });
}

export function newRunFolder(): string {
  return mkdtempSync(join(tmpdir(), "thawline-test-"));
}

export interface RunHooks {
  /** Sees every record once it is in the journal and before its commands are performed. */
  readonly onRecord?: (record: JournalRecord, state: State, killWorker: () => void) => void;
  readonly interrupts?: (listener: (signal: string) => void) => void;
  /** A Python for its workers in place of the nursery's. */
  readonly python?: string;
}

/** Creates a run in a folder and runs it to its end in this process; `config` null resumes the one that is there. */
export async function runTiny(runFolder: string, config: Config | null, hooks: RunHooks = {}): Promise<ControllerEnd> {
  const { python = (await findPython({ env: process.env, packageRoot: PACKAGE_ROOT })).command } = hooks;
  let worker: number | null = null;
  return control({
    runFolder,
    create: config === null ? null : { run: "tiny", config },
    launcher: localLauncher,
    worker: { command: [python, "-m", "thawline.worker"], pythonFolder: join(PACKAGE_ROOT, "python") },
    thawlineVersion: "test",
    onRecord: (record, state) => {
      if (record.event.type === "worker/connected") worker = record.event.body.pid;
      hooks.onRecord?.(record, state, () => kill(worker));
    },
    ...(hooks.interrupts === undefined ? {} : { interrupts: { listen: hooks.interrupts } }),
  });
}

/**
 * SIGKILL to the process that said hello, which is dead when this returns, and to nothing else of its group: the
 * controller has to do the rest. The process that was launched is another, and outlives it, where a nursery forked it.
 */
function kill(worker: number | null): void {
  if (worker === null) throw new Error("there is no worker to kill");
  process.kill(worker, "SIGKILL");
}

/** An `onRecord` that kills the worker at the first record that each predicate accepts, one after another. */
export function killAt(...moments: ((record: JournalRecord, state: State) => boolean)[]) {
  return (record: JournalRecord, state: State, killWorker: () => void): void => {
    if (moments[0]?.(record, state) !== true) return;
    moments.shift();
    killWorker();
  };
}

/** Living processes (zombies left out) that work in the run folder: what a run must not leave behind. */
export function livingWorkers(runFolder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && worksIn(pid, runFolder));
}

function worksIn(pid: number, folder: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const zombie = stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
    return !zombie && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
  } catch {
    return false;
  }
}
