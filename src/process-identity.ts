import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** What the system tells of a process. */
export interface ProcessFacts {
  readonly zombie: boolean;
  readonly processGroup: number;
  /** Tells two processes with one pid apart, also across a reboot. */
  readonly startTime: string;
}

/** When the process started, as text to compare; null where there is none (without a reaping parent a dead one stays a zombie, which is none). */
export function startTimeOf(pid: number): string | null {
  const facts = processFacts(pid);
  return facts === null || facts.zombie ? null : facts.startTime;
}

/** A process of one machine: enough to tell it, when it is dead, from another one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly host: string;
}

export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  return { pid, startTime: startTimeOf(pid) ?? "", host: hostname() };
}

/** Whether it lives on this machine; of another host's processes nothing is known here. */
export function livesHere({ pid, startTime, host }: ProcessIdentity): boolean {
  return host === hostname() && startTimeOf(pid) === startTime;
}

export function processFacts(pid: number): ProcessFacts | null {
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
export function ps(options: string[]): string {
  try {
    return execFileSync("ps", options, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
  } catch {
    return "";
  }
}
