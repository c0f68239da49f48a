import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.js";
import type { LaunchedWorker, LaunchRequest } from "../../src/launch/launcher.js";
import { localLauncher } from "../../src/launch/local.js";
import { endProcessGroup } from "../../src/launch/process-group.js";
import { startTimeOf } from "../../src/process-identity.js";

const family = fileURLToPath(new URL("../fixtures/processes/family.mjs", import.meta.url));
let folder: string;
const workers: LaunchedWorker[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "launch-"));
});

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.kill();
    await worker.exited;
  }
  await rm(folder, { recursive: true, force: true });
});

async function launch(command: [string, ...string[]], more: Partial<LaunchRequest> = {}): Promise<LaunchedWorker> {
  const worker = await localLauncher.launch({
    command,
    workingFolder: folder,
    logPath: join(folder, "worker.log"),
    bootstrapPath: "/nowhere/bootstrap.json",
    pythonFolder: "/the/python",
    ...more,
  });
  workers.push(worker);
  return worker;
}

const launchNode = (script: string, more?: Partial<LaunchRequest>) => launch([process.execPath, "-e", script], more);
const printed = () => readFile(join(folder, "worker.log"), "utf8");

/** Pid of the family's child, once it is up. */
async function childPid(): Promise<number> {
  for (;;) {
    const match = /ready (\d+)/.exec(await printed());
    if (match) return Number(match[1]);
    await sleep(10);
  }
}

async function untilGone(pid: number): Promise<void> {
  while (startTimeOf(pid) !== null) await sleep(10);
}

describe("a launched worker", () => {
  test("reports how it exited, and appends what it prints to the log", async () => {
    await writeFile(join(folder, "worker.log"), "attempt 1\n");
    const worker = await launchNode('console.log("out"); console.error("err"); process.exitCode = 3');
    expect(await worker.exited).toEqual({ exitCode: 3, signal: null });
    expect(await printed()).toBe("attempt 1\nout\nerr\n");
  });

  test("finds its controller, its lifeline and the package in its environment", async () => {
    const names = ["THAWLINE_BOOTSTRAP", "THAWLINE_LIFELINE_FD", "PYTHONPATH", "PYTHONUNBUFFERED", "OMP_NUM_THREADS"];
    const script = `console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => process.env[name])))`;
    await (
      await launchNode(script, { environment: { OMP_NUM_THREADS: "2" } })
    ).exited;
    const [bootstrap, lifeline, pythonPath, ...rest] = JSON.parse(await printed()) as string[];
    expect([bootstrap, lifeline, ...rest]).toEqual(["/nowhere/bootstrap.json", "3", "1", "2"]);
    expect(pythonPath?.split(":")[0]).toBe("/the/python");
  });

  test("has its lifeline open as long as the controller lives", async () => {
    const script = 'require("fs").createReadStream(null, { fd: 3 }).on("end", () => console.log("end")).resume()';
    const worker = await launchNode(script);
    await sleep(300);
    expect(startTimeOf(worker.pid)).toBe(worker.startTime);
    expect(await printed()).toBe("");
  });

  test("leads a group of its own, which ends with it", async () => {
    const worker = await launch([process.execPath, family, "exit", "5"]);
    expect(worker.processGroup).toBe(worker.pid);
    expect(worker.processGroup).not.toBe(process.pid);
    const child = await childPid();
    expect(await worker.exited).toEqual({ exitCode: 5, signal: null });
    await untilGone(child);
  });

  test("is killed together with children that ignore signals", async () => {
    const worker = await launch([process.execPath, family, "wait"]);
    const child = await childPid();
    worker.kill();
    expect(await worker.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
    await untilGone(child);
    worker.kill();
  });

  test("is interrupted alone", async () => {
    const worker = await launch([process.execPath, family, "interruptible"]);
    await childPid();
    worker.interrupt();
    expect(await worker.exited).toEqual({ exitCode: 7, signal: null });
    worker.interrupt();
  });

  test("that cannot be started is the user's to fix", async () => {
    await expect(launch(["no-such-python"])).rejects.toThrow(UserError);
    await expect(launch(["no-such-python"])).rejects.toThrow("`no-such-python` could not be started: ");
  });
});

describe("leftovers of a dead controller", () => {
  test("are ended with their leader", async () => {
    const worker = await launch([process.execPath, family, "wait"]);
    const child = await childPid();
    expect(await endProcessGroup({ pid: worker.pid, startTime: worker.startTime ?? "" })).toBe(true);
    expect([startTimeOf(worker.pid), startTimeOf(child)]).toEqual([null, null]);
    await worker.exited;
  });

  test("are left alone where the pid is another process by now", async () => {
    const worker = await launch([process.execPath, family, "wait"]);
    const child = await childPid();
    expect(await endProcessGroup({ pid: worker.pid, startTime: "another boot/1" })).toBe(false);
    expect([worker.pid, child].map((pid) => startTimeOf(pid) !== null)).toEqual([true, true]);
  });

  test.each([
    ["ended without their leader where they carry our environment", { THAWLINE_BOOTSTRAP: "/x" }, true],
    ["left alone without their leader where they do not", {}, false],
  ])("are %s", async (_, environment, ended) => {
    const log = openSync(join(folder, "worker.log"), "a");
    const env = { PATH: process.env["PATH"], ...environment };
    const leader = spawn(process.execPath, [family, "exit", "0"], { detached: true, stdio: ["ignore", log, log], env });
    closeSync(log);
    await once(leader, "exit");
    const child = await childPid();
    try {
      expect(await endProcessGroup({ pid: leader.pid ?? 0, startTime: "unknown" })).toBe(ended);
      expect(startTimeOf(child) === null).toBe(ended);
    } finally {
      if (!ended) process.kill(child, "SIGKILL");
    }
  });

  test("are nothing once everything is gone", async () => {
    const worker = await launchNode("");
    await worker.exited;
    expect(await endProcessGroup({ pid: worker.pid, startTime: worker.startTime ?? "" })).toBe(false);
  });
});

test("a zombie is not alive", async () => {
  // A shell may collect its child before it becomes another program; the file it waits for says that it has.
  const gate = join(folder, "gate");
  await launch(["sh", "-c", `(until [ -e ${gate} ]; do sleep 0.05; done) & echo ready $!; exec sleep 60`]);
  const zombie = await childPid();
  const parent = workers.at(-1)?.pid ?? 0;
  await expect.poll(() => readFile(`/proc/${parent}/comm`, "utf8")).toBe("sleep\n");
  await writeFile(gate, "");
  await untilGone(zombie);
  expect(() => process.kill(zombie, 0)).not.toThrow();
});
