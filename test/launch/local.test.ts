import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
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
import { endProcessesOf } from "../../src/launch/process-group.js";
import { processFacts, startTimeOf } from "../../src/process-identity.js";

const family = fileURLToPath(new URL("../fixtures/processes/family.mjs", import.meta.url));
let folder: string;
const workers: LaunchedWorker[] = [];
/** Of this test file's run alone. */
const IDENTITY = randomUUID();

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
    runIdentity: IDENTITY,
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

  // Without the environment the run's identity does not tell that they are this run's: their group does.
  test.each(["", "bare"])("takes with it what it has started when it ends: %s", async (environment) => {
    const worker = await launch([process.execPath, family, "exit", "5", environment]);
    const child = await childPid();
    expect(await worker.exited).toEqual({ exitCode: 5, signal: null });
    await untilGone(child);
  });

  test("leads a group of its own, and is killed together with children that ignore signals", async () => {
    const worker = await launch([process.execPath, family, "wait"]);
    const child = await childPid();
    expect([worker.pid, child].map((pid) => processFacts(pid)?.processGroup)).toEqual([worker.pid, worker.pid]);
    worker.kill();
    expect(await worker.exited).toEqual({ exitCode: null, signal: "SIGKILL" });
    await untilGone(child);
    worker.kill();
  });

  test("that cannot be started is the user's to fix", async () => {
    await expect(launch(["no-such-python"])).rejects.toThrow(UserError);
    await expect(launch(["no-such-python"])).rejects.toThrow("`no-such-python` could not be started: ");
  });
});

describe("leftovers of a dead controller", () => {
  const endLeftovers = (identity: string = IDENTITY) => endProcessesOf(identity);

  test("are ended with all that they have started", async () => {
    const worker = await launch([process.execPath, family, "wait"]);
    const child = await childPid();
    expect(await endLeftovers()).toBe(true);
    expect([startTimeOf(worker.pid), startTimeOf(child)]).toEqual([null, null]);
    await worker.exited;
  });

  test("are no processes of another run, whatever their ids", async () => {
    const worker = await launch([process.execPath, family, "wait"]);
    const child = await childPid();
    for (const other of [randomUUID(), "", IDENTITY.slice(1), `${IDENTITY}0`]) {
      expect(await endLeftovers(other)).toBe(false);
    }
    const group = { pid: worker.pid, startTime: worker.startTime ?? "" };
    expect(await endProcessesOf(randomUUID(), { group })).toBe(false);
    expect([worker.pid, child].map((pid) => startTimeOf(pid) !== null)).toEqual([true, true]);
  });

  test.each([
    ["ended without their leader where they carry the identity of the run", { THAWLINE_RUN: IDENTITY }, true],
    ["left alone where they carry that of another", { THAWLINE_RUN: "another", THAWLINE_BOOTSTRAP: "/x" }, false],
    ["left alone where they carry none", {}, false],
  ])("are %s", async (_, environment, ended) => {
    const log = openSync(join(folder, "worker.log"), "a");
    const env = { PATH: process.env["PATH"], ...environment };
    const leader = spawn(process.execPath, [family, "exit", "0"], { detached: true, stdio: ["ignore", log, log], env });
    closeSync(log);
    await once(leader, "exit");
    const child = await childPid();
    try {
      expect(await endLeftovers()).toBe(ended);
      expect(startTimeOf(child) === null).toBe(ended);
    } finally {
      if (!ended) process.kill(child, "SIGKILL");
    }
  });

  test("are nothing once everything is gone", async () => {
    const worker = await launchNode("");
    await worker.exited;
    expect(await endLeftovers()).toBe(false);
  });
});

describe("what a worker has started in a session of its own", () => {
  const start = (script: string) =>
    launchNode(
      `const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(script)}], ` +
        `{ detached: true, stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.once("data", () => { console.log("ready " + child.pid); process.exit(0); });`,
    );

  test("ends with it, by a signal that it may heed", async () => {
    const heeds = `process.on("SIGTERM", () => { require("node:fs").writeFileSync("heeded", ""); process.exit(); });`;
    const worker = await start(`${heeds} console.log("up"); setInterval(() => {}, 1000);`);
    await worker.exited;
    expect(startTimeOf(await childPid())).toBeNull();
    await readFile(join(folder, "heeded"));
  });

  test("ends with it, also where it heeds none", async () => {
    const worker = await start(`process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000);`);
    await worker.exited;
    expect(startTimeOf(await childPid())).toBeNull();
  });
});
