import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process group by its leader; `startTime` as `startTimeOf` gave it. */
export interface GroupIdentity {
  pid: number;
  startTime: string;
}

const GONE_WITHIN_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 20;

interface ProcessFacts {
  zombie: boolean;
  processGroup: number;
  /** Tells two processes with one pid apart, also across a reboot. */
  startTime: string;
}

/** When the process started, as text to compare; null where there is no such process (a zombie is none). */
export function startTimeOf(pid: number): string | null {
  const facts = processFacts(pid);
  return facts === null || facts.zombie ? null : facts.startTime;
}

/** Whether this very process runs; without a reaping parent a dead one stays a zombie, which `kill(pid, 0)` still finds. */
export function isAlive(pid: number, startTime: string): boolean {
  return startTimeOf(pid) === startTime;
}

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

function processFacts(pid: number): ProcessFacts | null {
  return process.platform === "linux" ? factsFromProc(pid) : factsFromPs(pid);
}

function factsFromProc(pid: number): ProcessFacts | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  // The command's name, second and in parentheses, may itself hold spaces and parentheses; proc(5) numbers from 1.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => fields[number - 3] ?? "";
  return {
    zombie: field(3) === "Z" || field(3) === "X",
    processGroup: Number(field(5)),
    startTime: `${bootId()}/${field(22)}`,
  };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

function factsFromPs(pid: number): ProcessFacts | null {
  const printed = ps(["-o", "stat=,pgid=,lstart=", "-p", String(pid)]);
  const [, state, processGroup, startTime] = /^\s*(\S+)\s+(\d+)\s+(.+?)\s*$/.exec(printed) ?? [];
  if (state === undefined || processGroup === undefined || startTime === undefined) return null;
  return { zombie: state.startsWith("Z"), processGroup: Number(processGroup), startTime };
}

/** What `ps` prints; it exits 1 where no process fits. */
function ps(options: string[]): string {
  try {
    return execFileSync("ps", options, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  } catch {
    return "";
  }
}
