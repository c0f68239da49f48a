import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { processFacts, ps } from "../process-identity.js";

/** A process group by its leader; `startTime` as `startTimeOf` gives it. */
export interface GroupIdentity {
  pid: number;
  startTime: string;
}

/** In the environment of all that a run has started: the identity of its folder, which no other run has. */
export const RUN_VARIABLE = "THAWLINE_RUN";

const GONE_WITHIN_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 20;

/**
 * Ends what is left of a run: every process whose environment carries its identity, whatever group or session it is
 * in, and nothing else. Where the system shows no environments (not Linux), the group whose leader has the pid and
 * start time of `group`. Returns when all are gone.
 *
 * @param politely how long they may take over a SIGTERM before they get a SIGKILL; left out, there is none
 * @returns whether there was something to end
 */
export async function endProcessesOf(
  identity: string,
  { group = null, politely = 0 }: { readonly group?: GroupIdentity | null; readonly politely?: number } = {},
): Promise<boolean> {
  const left = (): number[] => (process.platform === "linux" ? carriersOf(identity) : membersOfOwn(group));
  const found = left();
  if (found.length === 0) return false;
  if (politely > 0) {
    for (const pid of found) signal(pid, "SIGTERM");
    await untilNone(left, politely);
  }
  const deadline = performance.now() + GONE_WITHIN_MILLISECONDS;
  for (let alive = left(); alive.length > 0 && performance.now() < deadline; alive = left()) {
    // Again and again: one that forks meanwhile leaves a child that was not found.
    for (const pid of alive) signal(pid, "SIGKILL");
    await sleep(POLL_MILLISECONDS);
  }
  return true;
}

/** SIGKILL to every process of the group; without effect where none is left. */
export function killGroup(processGroup: number): void {
  signal(-processGroup, "SIGKILL");
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch (error) {
    // ESRCH: all gone. EPERM: macOS says so of a group that holds only zombies.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

async function untilNone(left: () => readonly number[], milliseconds: number): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (left().length > 0 && performance.now() < deadline) await sleep(POLL_MILLISECONDS);
}

/** Living processes with that identity in their environment; those of other users show none. */
function carriersOf(identity: string): number[] {
  const entry = `\0${RUN_VARIABLE}=${identity}\0`;
  return allPids().filter((pid) => pid !== process.pid && environmentOf(pid).includes(entry) && isAlive(pid));
}

/** Living processes of the group, while its leader is the one that was started; a recycled pid's are none. */
function membersOfOwn(group: GroupIdentity | null): number[] {
  if (group === null || processFacts(group.pid)?.startTime !== group.startTime) return [];
  return allPids().filter((pid) => processFacts(pid)?.processGroup === group.pid && isAlive(pid));
}

function isAlive(pid: number): boolean {
  return processFacts(pid)?.zombie === false;
}

/** As it was when the process began, each entry between zero bytes; empty where it is not to be read. */
function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
  } catch {
    return "";
  }
}

function allPids(): number[] {
  const names = process.platform === "linux" ? readdirSync("/proc") : ps(["-A", "-o", "pid="]).split("\n");
  return names.map(Number).filter((pid) => pid > 0);
}
