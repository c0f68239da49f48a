import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, liveHolder, type LockHolder } from "../../src/journal/lock.js";
import { startTimeOf } from "../../src/process-identity.js";

let folder: string;
let contenders: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-lock-"));
});
afterEach(() => {
  for (const child of contenders) child.kill("SIGKILL");
  contenders = [];
  rmSync(folder, { recursive: true });
});

interface Contender {
  readonly process: ChildProcess;
  readonly ask: (folder: string, time: number) => Promise<string>;
}

/** Another process that takes locks when told to. */
async function contender(): Promise<Contender> {
  const script = fileURLToPath(new URL("../fixtures/processes/take-lock.mjs", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  contenders.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => String((await lines.next()).value);
  expect(await answer()).toBe("up");
  return {
    process: child,
    ask: (where, time) => {
      child.stdin.write(`${where} ${time}\n`);
      return answer();
    },
  };
}

/** What `attempt` throws, as a person would read it. */
function refusal(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string };
    return `${code}: ${message} (${hint})`.replaceAll(folder, "RUN");
  }
  return "accepted";
}

function holder(difference: Partial<LockHolder>): string {
  const me = { pid: process.pid, startTime: startTimeOf(process.pid)!, host: hostname() };
  return JSON.stringify({ ...me, ...difference });
}

describe("a lock", () => {
  it("is refused to everybody else while its holder lives, and is free when it is released", () => {
    const lock = acquireLock(folder);
    expect(lock.term).toBe(1);
    expect(liveHolder(folder)).toMatchObject({ pid: process.pid, host: hostname() });
    expect(refusal(() => acquireLock(folder))).toBe(
      `run_in_use: \`RUN\` is in use by the controller with process id ${process.pid} ` +
        "(look at it with `npx thawline watch RUN`, or stop it with `npx thawline control RUN stop`)",
    );
    lock.release();
    expect(liveHolder(folder)).toBeNull();
    expect(acquireLock(folder).term).toBe(2);
    expect(readdirSync(folder)).toEqual(["lock.2"]);
  });

  it("of another living process is refused with its process id, and taken over once it is dead", async () => {
    const other = await contender();
    expect(await other.ask(folder, 0)).toBe("won 1");
    expect(refusal(() => acquireLock(folder))).toContain(`process id ${other.process.pid}`);
    expect(refusal(() => acquireLock(folder, { takeover: true }))).toContain(`process id ${other.process.pid}`);
    other.process.kill("SIGKILL");
    await once(other.process, "exit");
    expect(acquireLock(folder).term).toBe(2);
  });

  it.each([
    ["its process id now belongs to another process", { startTime: "1" }],
    ["the machine has been started anew", { startTime: startTimeOf(process.pid)!.replace(/^[^/]*/, "another") }],
    ["no process has its process id", { pid: 2 ** 22 + 1 }],
  ])("is taken over where %s", (_, difference) => {
    writeFileSync(join(folder, "lock.7"), holder(difference));
    expect(liveHolder(folder)).toBeNull();
    expect(acquireLock(folder).term).toBe(8);
  });

  it("is that of its highest term, counted as a number", () => {
    writeFileSync(join(folder, "lock.9"), holder({}));
    writeFileSync(join(folder, "lock.10"), "");
    expect(acquireLock(folder).term).toBe(11);
  });

  it("of another host is refused unless it is taken over", () => {
    writeFileSync(join(folder, "lock.1"), holder({ host: "node17", pid: 99 }));
    expect(refusal(() => acquireLock(folder))).toBe(
      "run_in_use: `RUN` is held by process 99 on host node17 (if that host is gone, add `--takeover`)",
    );
    expect(liveHolder(folder)).toBeNull();
    expect(acquireLock(folder, { takeover: true }).term).toBe(2);
  });
});

describe("a lock that was copied with its folder", () => {
  const copied = (to: string): void => {
    acquireLock(folder);
    cpSync(folder, to, { recursive: true });
  };

  it("holds the other folder: the copy says so, and goes on as a run of its own", () => {
    const copy = mkdtempSync(join(tmpdir(), "thawline-copy-"));
    try {
      copied(copy);
      expect(liveHolder(copy)).toBeNull();
      expect(refusal(() => acquireLock(copy)).replaceAll(copy, "COPY")).toBe(
        `run_copied: \`COPY\` is a copy of \`RUN\`, which the controller with process id ${process.pid} runs ` +
          "(`npx thawline resume COPY --as-copy` goes on with the copy as a run of its own)",
      );
      expect(acquireLock(copy, { asCopy: true }).term).toBe(2);
      expect(liveHolder(folder)).toMatchObject({ pid: process.pid });
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("of its own folder is not passed over, whoever calls it a copy", () => {
    acquireLock(folder);
    expect(refusal(() => acquireLock(folder, { asCopy: true }))).toMatch(/^run_in_use/);
  });

  it("of another folder at its path is left alone when it is released", () => {
    const lock = acquireLock(folder);
    writeFileSync(join(folder, "lock.1"), holder({ pid: process.ppid }));
    lock.release();
    expect(readFileSync(join(folder, "lock.1"), "utf8")).not.toBe("");
  });
});

describe("two processes that want the same run at the same moment", () => {
  it("never both get it, and one does", async () => {
    const [a, b] = await Promise.all([contender(), contender()]);
    for (let race = 0; race < 40; race += 1) {
      const run = mkdtempSync(join(folder, "run-"));
      // Every other race is for a run whose controller has died.
      if (race % 2 === 1) writeFileSync(join(run, "lock.1"), holder({ startTime: "1" }));
      const time = Date.now() + 10;
      const answers = await Promise.all([a.ask(run, time), b.ask(run, time)]);
      expect(answers.sort()).toEqual(["lost run_in_use", `won ${race % 2 === 1 ? 2 : 1}`]);
      expect(readdirSync(run)).toEqual([race % 2 === 1 ? "lock.2" : "lock.1"]);
    }
  });
});
