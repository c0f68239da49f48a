import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { writeRequestFile } from "../../src/inbox/write.js";
import { control, type ControllerEnd } from "../../src/controller/controller.js";
import type { EventOf, EventType } from "../../src/core/events.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import type { LaunchRequest } from "../../src/launch/launcher.js";
import { localLauncher } from "../../src/launch/local.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { asEnvironment } from "../support/as-environment.js";

const WORKERS = fileURLToPath(new URL("../fixtures/workers/", import.meta.url));

/** Twelve updates of a worker that makes its numbers up; boundaries before 5, 6, 10, 12 and 13. */
const SCRIPTED_RUN: readonly string[] = [
  "name=scripted",
  "train.updates=12",
  "intervention.k=5",
  "checkpoint.every=6",
  "supervision.max_restarts=1",
  "supervision.restart_delay_seconds=0.01",
];

const runFolders: string[] = [];

/** For `afterAll`. */
export function removeRunFolders(): void {
  for (const folder of runFolders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function newRunFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thawline-test-"));
  runFolders.push(folder);
  return folder;
}

export interface ScriptedRun extends ControllerEnd {
  readonly runFolder: string;
  readonly records: readonly JournalRecord[];
  readonly notices: readonly string[];
}

export interface ScriptedRunOptions {
  /** File name in test/fixtures/workers, and its arguments. */
  readonly worker: readonly [string, ...string[]];
  readonly overrides?: readonly string[];
  readonly onRecord?: (record: JournalRecord) => void;
  readonly onLaunch?: (request: LaunchRequest) => void;
  /** Pauses this attempt at its first boundary, and lets it go on when `act` has resolved. */
  readonly pause?: { readonly attempt: number; readonly act: () => Promise<unknown> };
}

/**
 * Runs the real controller on a scripted worker to the end of the run, and checks what must hold however it ended: the
 * journal replays to the same commands, no process and no bootstrap file is left.
 */
export async function runScripted(options: ScriptedRunOptions): Promise<ScriptedRun> {
  const runFolder = newRunFolder();
  const [script, ...workerArguments] = options.worker;
  const { overrides = [] } = options;
  const config = loadConfig({ source: "quickstart", overrides, env: asEnvironment(SCRIPTED_RUN), cwd: runFolder });
  const pause = options.pause === undefined ? null : createPause(runFolder, options.pause);
  const bootstrapFiles: string[] = [];
  const notices: string[] = [];
  const end = await control({
    runFolder,
    create: { run: "scripted", config },
    launcher: {
      launch: async (request) => {
        bootstrapFiles.push(request.bootstrapPath);
        options.onLaunch?.(request);
        await pause?.beforeLaunch(bootstrapFiles.length);
        return localLauncher.launch(request);
      },
    },
    worker: {
      // Real processes: how they end is what is tested.
      command: [inject("realPython"), join(WORKERS, script), ...workerArguments],
      pythonFolder: join(PACKAGE_ROOT, "python"),
    },
    thawlineVersion: "test",
    onRecord: (record, state) => {
      options.onRecord?.(record);
      pause?.observe(state);
    },
    onNotice: (line) => notices.push(line),
  });
  const { records } = await readJournal(runFolder);
  verifyJournal(records);
  await untilGone(eventsOf(records, "attempt/launched").map(({ pid }) => pid));
  const left = bootstrapFiles.filter((path) => existsSync(dirname(path)));
  if (left.length > 0) throw new Error(`bootstrap files are left: ${left.join(", ")}`);
  return { ...end, runFolder, records, notices };
}

/** Orders the pause before the worker exists, so that it takes effect at the first boundary, however fast the worker. */
function createPause(runFolder: string, { attempt, act }: NonNullable<ScriptedRunOptions["pause"]>) {
  let accepted: () => void;
  let acted = false;
  const isAccepted = new Promise<void>((resolve) => (accepted = resolve));
  const order = (verb: "pause" | "continue") =>
    writeRequestFile(runFolder, { term: 1, who: "test", request: { verb } });
  return {
    beforeLaunch: async (launched: number): Promise<void> => {
      if (launched !== attempt) return;
      order("pause");
      await isAccepted;
    },
    observe: (state: State): void => {
      if (state.operator.ids.length > 0) accepted();
      if (acted || !state.operator.paused || state.attempt?.stage !== "waiting") return;
      acted = true;
      void act().then(() => order("continue"));
    },
  };
}

export function eventsOf<T extends EventType>(records: readonly JournalRecord[], type: T): EventOf<T>[] {
  return records.map(({ event }) => event).filter((event): event is EventOf<T> => event.type === type);
}

/** Returns once no process of these groups lives; the test's own time limit is the only one. Zombies do not count. */
async function untilGone(processGroups: readonly number[]): Promise<void> {
  while (livingGroups().some((group) => processGroups.includes(group))) await sleep(20);
}

function livingGroups(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return state === "Z" || state === "X" ? [] : [Number(processGroup)];
      } catch {
        return [];
      }
    });
}

/** How a run ended, in one line: outcome, exit code, attempts, and the error's sentence. */
export function verdict({ state, results }: ControllerEnd): string {
  const attempts = `${results.attempts} attempt${results.attempts === 1 ? "" : "s"}`;
  const message = results.message === null ? "" : `: ${results.message}`;
  return `${results.outcome}, exit code ${state.end?.exitCode ?? "none"}, ${attempts}${message}`;
}
