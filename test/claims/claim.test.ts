import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claim, holderOf } from "../../src/claims/claim.js";
import { removeAsidesOfTheDead } from "../../src/whole-file.js";

let root: string;
let folder: string;
let children: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "thawline-claims-"));
  folder = join(root, "runs", "standard-seed0");
});
afterEach(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  children = [];
  rmSync(root, { recursive: true });
});

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/processes/${name}.mjs`, import.meta.url));

interface Claimant {
  readonly process: ChildProcess;
  readonly ask: (line: string) => Promise<string>;
}

/** Another process that claims, on this host or on one that it believes itself on. */
async function claimant(host = "", heartbeat = 30_000, expiry = 300_000): Promise<Claimant> {
  const words = [fixture("take-claim"), host, String(heartbeat), String(expiry)];
  const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => String((await lines.next()).value);
  expect(await answer()).toBe("up");
  const ask = (line: string): Promise<string> => {
    child.stdin.write(`${line}\n`);
    return answer();
  };
  return { process: child, ask };
}

/** Asks until it answers so: how long that takes is the machine's. */
async function until(expected: string, ask: () => Promise<string>): Promise<string[]> {
  const before: string[] = [];
  for (;;) {
    const answer = await ask();
    if (answer === expected) return before;
    before.push(answer);
    await new Promise((done) => setTimeout(done, 20));
  }
}

describe("a claim", () => {
  it("makes its folder for nobody else, is refused to others while it is held, and is free when it is released", () => {
    const mine = claim(folder)!;
    expect([mine.term, mine.isHeld()]).toEqual([1, true]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(holderOf(folder)).toMatchObject({ pid: process.pid, host: hostname(), job: null });
    expect(claim(folder)).toBeNull();
    mine.release();
    expect(mine.isHeld()).toBe(false);
    expect(holderOf(folder)).toBeNull();
    expect(claim(folder)!.term).toBe(2);
    expect(readdirSync(folder)).toEqual(["claim.2"]);
  });

  it("names the Slurm job and how often it was started again", () => {
    const env = {
      SLURM_JOB_ID: "812",
      SLURM_ARRAY_JOB_ID: "810",
      SLURM_ARRAY_TASK_ID: "2",
      SLURM_RESTART_COUNT: "3",
      SLURM_CLUSTER_NAME: "c",
    };
    claim(folder, { env });
    expect(holderOf(folder)!.job).toEqual({ cluster: "c", id: "812", task: "810_2", restarts: 3 });
  });

  it("is nobody's where there is no folder", () => {
    expect(holderOf(folder)).toBeNull();
    expect(existsSync(folder)).toBe(false);
  });

  it("is not the copy's where its folder was copied", () => {
    claim(folder);
    const copy = join(root, "copy");
    cpSync(folder, copy, { recursive: true });
    expect(holderOf(copy)).toBeNull();
    expect(claim(copy)!.term).toBe(2);
    expect(holderOf(folder)).toMatchObject({ pid: process.pid });
  });

  it("of which nothing can be read is left alone", () => {
    claim(folder)!.release();
    rmSync(join(folder, "claim.1"));
    // As good as a file that the server does not give out: a folder of its name.
    mkdirSync(join(folder, "claim.1"));
    expect(claim(folder)).toBeNull();
    expect(holderOf(folder)).toBeNull();
  });

  it("that a full or read-only disk does not take is a sentence", () => {
    writeFileSync(join(root, "runs"), "");
    expect(() => claim(folder)).toThrow(/^`.*` cannot be written \((?:ENOTDIR|EEXIST)\)$/);
  });
});

describe("a claim of another process", () => {
  it("is refused while that lives, stopped or not, and taken over at once when it is killed", async () => {
    const other = await claimant();
    expect(await other.ask(`claim ${folder}`)).toBe("won 1");
    expect(claim(folder)).toBeNull();
    other.process.kill("SIGSTOP");
    expect(claim(folder, { expiryMilliseconds: 0 })).toBeNull();
    other.process.kill("SIGKILL");
    await once(other.process, "exit");
    expect(holderOf(folder)).toBeNull();
    expect(claim(folder)!.term).toBe(2);
  });

  it("on another host is taken over once it is silent for too long, and the one that was stopped learns of it", async () => {
    const [one, two] = await Promise.all([claimant("node1", 100, 3000), claimant("node2", 100, 3000)]);
    expect(await one.ask(`claim ${folder}`)).toBe("won 1");
    // Beyond the time after which it would be dead without its heartbeats.
    for (let beats = 0, last = 0; beats < 40;) {
      expect(await two.ask(`claim ${folder}`)).toBe("lost");
      const { mtimeMs } = statSync(join(folder, "claim.1"));
      if (mtimeMs > last) beats += 1;
      last = mtimeMs;
      await new Promise((done) => setTimeout(done, 10));
    }
    one.process.kill("SIGSTOP");
    const refused = await until("won 2", () => two.ask(`claim ${folder}`));
    expect(new Set(refused)).toEqual(new Set(["lost"]));
    one.process.kill("SIGCONT");
    expect(await one.ask("held")).toBe("false");
    expect(await one.ask("release")).toBe("done");
    expect(await two.ask("held")).toBe("true");
    expect(readdirSync(folder)).toEqual(["claim.2"]);
  });

  it("on another host that is killed is taken over by its silence", async () => {
    const one = await claimant("node1", 100, 300_000);
    expect(await one.ask(`claim ${folder}`)).toBe("won 1");
    one.process.kill("SIGKILL");
    await once(one.process, "exit");
    expect(claim(folder)).toBeNull();
    const two = await claimant("node2", 100, 400);
    await until("won 2", () => two.ask(`claim ${folder}`));
  });
});

describe("many processes that want one folder", () => {
  it("are in there one at a time, also while they are killed", async () => {
    let entered = 0;
    const met: string[] = [];
    const begin = (): ChildProcess => {
      const child = spawn(process.execPath, [fixture("share-claim"), root], { stdio: ["ignore", "pipe", "inherit"] });
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line === "in") entered += 1;
        else met.push(line);
      });
      children.push(child);
      return child;
    };
    const contenders = [begin(), begin(), begin()];
    for (let kills = 0; kills < 12; kills += 1) {
      const before = entered;
      while (entered < before + 15) await new Promise((done) => setTimeout(done, 5));
      const victim = contenders[kills % contenders.length]!;
      victim.kill("SIGKILL");
      await once(victim, "exit");
      contenders[kills % contenders.length] = begin();
    }
    expect(met).toEqual([]);
    for (const child of children) child.kill("SIGKILL");
    for (const child of children) if (child.signalCode === null) await once(child, "exit");
    const claims = join(root, "claims");
    removeAsidesOfTheDead(claims);
    expect(readdirSync(claims).every((name) => /^claim\.\d+$/.test(name))).toBe(true);
    expect(claim(claims)).not.toBeNull();
    expect(readFileSync(join(claims, readdirSync(claims)[0]!), "utf8")).toContain(`"pid":${process.pid}`);
  });
});
