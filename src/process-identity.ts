import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

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
