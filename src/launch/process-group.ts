import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { processFacts, ps } from "../process-identity.js";

/** A process group by its leader; `startTime` as `startTimeOf` gives it. */
export interface GroupIdentity {
  pid: number;
  startTime: string;
}

const GONE_WITHIN_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 20;

/**
 * SIGKILL to what is left of a group whose controller died, and waits until it is gone. Never kills a recycled pid: with
 * its leader gone, a group is ended only if it holds a process that was started with a bootstrap file of ours.
 *
 * @returns whether there was something to end.
 */
export async function endProcessGroup(group: GroupIdentity): Promise<boolean> {
  const leader = processFacts(group.pid);
  const ours = leader === null || leader.zombie ? hasOrphans(group.pid) : leader.startTime === group.startTime;
  if (!ours) return false;
  killGroup(group.pid);
  const deadline = performance.now() + GONE_WITHIN_MILLISECONDS;
  while (membersOf(group.pid).length > 0 && performance.now() < deadline) await sleep(POLL_MILLISECONDS);
  return true;
}

/** SIGKILL to every process of the group; without effect where none is left. */
export function killGroup(processGroup: number): void {
  try {
    process.kill(-processGroup, "SIGKILL");
  } catch (error) {
    // ESRCH: all gone. EPERM: macOS says so of a group that holds only zombies.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Living processes of the group. */
function membersOf(processGroup: number): number[] {
  return allPids().filter((pid) => {
    const facts = processFacts(pid);
    return facts !== null && !facts.zombie && facts.processGroup === processGroup;
  });
}

function hasOrphans(processGroup: number): boolean {
  return process.platform === "linux" && membersOf(processGroup).some(hasBootstrap);
}

function hasBootstrap(pid: number): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes("\0THAWLINE_BOOTSTRAP=");
  } catch {
    return false;
  }
}

function allPids(): number[] {
  const names = process.platform === "linux" ? readdirSync("/proc") : ps(["-A", "-o", "pid="]).split("\n");
  return names.map(Number).filter((pid) => pid > 0);
}
