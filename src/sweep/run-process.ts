import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Decision } from "../core/commands.js";
import { JOURNAL_FILE, type JournalRecord } from "../journal/format.js";
import { tailOf } from "../launch/tail.js";
import { createRunFolder, runTimestamp, wasNeverBegun } from "../runs/folder.js";
import { readResults } from "../runs/finished-run.js";
import { MARK_FILE } from "../trust/mark.js";
import { markOwnRun } from "../trust/require-trust.js";
import { modeInside } from "../whole-file.js";
import type { PlannedRun } from "./plan.js";
import { runFolderOf } from "./sweep-folder.js";

/** Where a run is run: what its process gets of the machine. */
export interface Slot {
  readonly index: number;
  /** Variables on top of the environment, such as the one GPU of this slot. */
  readonly env: Readonly<Record<string, string>>;
}

export interface RunEnd {
  /** `stopped`: with a checkpoint, to be gone on with. */
  readonly outcome: "finished" | "stopped" | "failed";
  /** Why it failed, in one sentence. */
  readonly message: string;
  /** The last lines that it printed. */
  readonly output: string;
}

/** A run that is being trained. */
export interface RunProcess {
  readonly resumed: boolean;
  readonly ended: Promise<RunEnd>;
  /** Stops it with a checkpoint; again, without waiting for one. */
  readonly stop: () => void;
}

export interface StartRequest {
  /** The sweep's folder. */
  readonly folder: string;
  readonly run: PlannedRun;
  readonly slot: Slot;
  readonly onDecision: (decision: Decision) => void;
}

export type StartRun = (request: StartRequest) => RunProcess;

const CONTROLLER_LOG = "controller.log";
const TAIL = { lines: 12, bytes: 4096 } as const;

/**
 * Begins a run, or goes on with it, by a controller in a process of its own. That ends with this one: its standard input
 * is a pipe, and whoever kills the sweep closes it.
 *
 * @throws UserError where its folder cannot be made
 */
export const startRun: StartRun = ({ folder, run, slot, onDecision }) => {
  const runFolder = runFolderOf(folder, run.id);
  const resumed = existsSync(join(runFolder, JOURNAL_FILE)) && !wasNeverBegun(runFolder);
  if (!resumed && !wasNeverBegun(runFolder)) makeRunFolder(runFolder, run);
  const create = resumed ? [] : ["--create", `${run.id}-${runTimestamp(new Date())}`];
  const child = spawnController(runFolder, ["--json", "--tied", ...create], slot);
  let stops = 0;
  return {
    resumed,
    ended: endOf(child, runFolder, onDecision),
    stop: () => {
      stops += 1;
      child.kill(stops === 1 ? "SIGTERM" : "SIGINT");
    },
  };
};

function makeRunFolder(runFolder: string, { config }: PlannedRun): void {
  const write = (made: string): void => void markOwnRun(made, config, process.env);
  createRunFolder(runFolder, config, { first: { name: MARK_FILE, write } });
}

function spawnController(runFolder: string, flags: readonly string[], { env }: Slot): ChildProcess {
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  const log = openSync(join(runFolder, CONTROLLER_LOG), "a", modeInside(runFolder));
  try {
    // In a session of its own: Ctrl-C is this process's, which stops every run once.
    return spawn(process.execPath, [cli, "controller", runFolder, ...flags], {
      detached: true,
      stdio: ["pipe", "pipe", log],
      env: { ...process.env, ...env },
    });
  } finally {
    closeSync(log);
  }
}

async function endOf(
  child: ChildProcess,
  runFolder: string,
  onDecision: (decision: Decision) => void,
): Promise<RunEnd> {
  // A run that has ended no longer reads.
  child.stdin!.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => {
    for (const decision of decisionsIn(line)) onDecision(decision);
  });
  const code = await new Promise<number | null>((done) => {
    child.once("error", () => done(null));
    child.once("close", (exitCode) => done(exitCode));
  });
  const results = readResults(runFolder);
  if (code === 0 && results?.outcome === "finished") return { outcome: "finished", message: "", output: "" };
  if (code === 130) return { outcome: "stopped", message: "", output: "" };
  const output = await tailOf(join(runFolder, CONTROLLER_LOG), TAIL.lines, TAIL.bytes);
  const worker = await tailOf(join(runFolder, "worker.log"), TAIL.lines, TAIL.bytes);
  const message =
    sentenceIn(output) ??
    results?.message ??
    `its controller ended with ${code === null ? "a signal" : `exit code ${code}`}`;
  return { outcome: "failed", message, output: worker };
}

function decisionsIn(line: string): readonly Decision[] {
  try {
    return (JSON.parse(line) as JournalRecord).decisions ?? [];
  } catch {
    return [];
  }
}

/** Our own errors begin so. */
function sentenceIn(output: string): string | null {
  const found = output.split("\n").findLast((line) => line.startsWith("error: "));
  return found === undefined ? null : found.slice("error: ".length);
}
