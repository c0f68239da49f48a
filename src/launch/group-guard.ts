import { spawn, type ChildProcess } from "node:child_process";

/** Its standard input is a pipe that only this process holds open; `$0` is the process group. */
const GUARD = `trap '' INT TERM HUP USR1 USR2; read -r _; kill -s KILL -- "-$0"`;

/**
 * Ends the process group that `leader` leads as soon as this process is gone, however it ended.
 *
 * The worker's own guard (python/thawline/host/process.py) does the same, but only once the worker has started it: a
 * script imports and loads for as long as it likes before it calls `attach`. This one is there from the first moment,
 * and for whatever program it is.
 */
export function guardGroup(leader: ChildProcess): void {
  const guard = spawn("/bin/sh", ["-c", GUARD, String(leader.pid)], {
    // A session of its own: what ends this process's group, or its terminal, must not end the guard first.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Where there is no shell, or no room for a process, the worker's own guard has to do.
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  guard.unref();
  // The group's number may be another's once it is gone.
  leader.once("exit", () => guard.kill("SIGKILL"));
}
