// The processes of one run, by /proc: which there are, what each is for, and whether they end.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MILLISECONDS = 20;

/** Living processes that have `folder` in their environment, their command line or as their working folder. */
export function processesOf(folder) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const text = (file) => readFileSync(`/proc/${name}/${file}`, "latin1");
        const stat = text("stat");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const state = fields[0];
        // A zombie lives no more; what waits for its parent to look at it holds nothing.
        if (state === "Z" || state === "X") return [];
        const command = text("cmdline").split("\0");
        const mine = [text("environ"), command.join(" "), readlinkSync(`/proc/${name}/cwd`)];
        if (!mine.some((found) => found.includes(folder))) return [];
        return [{ pid: Number(name), startTime: fields[19], state, command, role: roleOf(command, text("environ")) }];
      } catch {
        return []; // Gone meanwhile, or another user's.
      }
    });
}

function roleOf(command, environment) {
  if (command.some((part) => part.endsWith("/dist/cli.js"))) return "controller";
  // `python -I -S -c`, with the lifeline as its standard input (python/thawline/host/process.py).
  if (command[1] === "-I" && command[2] === "-S" && command[3] === "-c") return "guard";
  return environment.includes("THAWLINE_BOOTSTRAP=") ? "worker" : "other";
}

/** Sends a signal to those in these roles. Returns the roles that there were. */
export function signalRoles(folder, roles, signal) {
  const found = processesOf(folder).filter(({ role }) => roles.includes(role));
  for (const { pid } of found) send(pid, signal);
  return [...new Set(found.map(({ role }) => role))];
}

export function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Waits until no process of the folder lives, for `seconds` at most: `{ seconds, left }`, both as they were then. */
export async function untilGone(folder, seconds) {
  const began = performance.now();
  for (;;) {
    const left = processesOf(folder);
    const passed = (performance.now() - began) / 1000;
    if (left.length === 0 || passed > seconds) return { seconds: passed, left };
    await sleep(POLL_MILLISECONDS);
  }
}
