import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { encodeRecord } from "../../src/journal/format.js";
import { composeResults } from "../../src/reading/results.js";
import type { Plan } from "../../src/sweep/plan.js";
import type { RunEnd, StartRun } from "../../src/sweep/run-process.js";
import { SweepRunner, type SweepEvent, type SweepOptions } from "../../src/sweep/runner.js";
import { standingOf } from "../../src/sweep/standing.js";
import { openSweepFolder, runFolderOf, TAKEN } from "../../src/sweep/sweep-folder.js";
import { createRunFolder } from "../../src/runs/folder.js";
import { simulateRun } from "../support/journal-builder.js";
import { seededRandom } from "../support/random.js";
import { planned, SWEEP } from "./sweep-file.js";

const SWEEPER = fileURLToPath(new URL("../fixtures/sweepers/simulated.mjs", import.meta.url));

/** What a finished run leaves. */
function leftBehind(): { readonly journal: string; readonly results: object } {
  const { records, state } = simulateRun();
  return { journal: records.map(encodeRecord).join(""), results: composeResults(state, 1) };
}

function begun(plan: Plan): string {
  const folder = join(mkdtempSync(join(tmpdir(), "thawline-sweep-")), "sweep");
  openSweepFolder(folder, plan, "0.1.0");
  return folder;
}

describe("two sweepers on one folder", () => {
  it("finish each of 300 runs exactly once, whatever is killed: 8 slots, 20 kills", async () => {
    const random = seededRandom();
    const plan = await planned(
      "base: quickstart\nseeds: 300\nconditions: { standard: { set: { intervention.kind: none } } }\n",
    );
    const folder = begun(plan);
    const log = join(folder, "log");
    const left = join(folder, "left.json");
    writeFileSync(log, "");
    writeFileSync(left, JSON.stringify(leftBehind()));
    const start = (): ChildProcess =>
      spawn(process.execPath, [SWEEPER, folder, "4", log, left, "150"], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = (child: ChildProcess): Promise<number | null> =>
      child.exitCode === null && child.signalCode === null
        ? new Promise((done) => child.once("close", (code) => done(code)))
        : Promise.resolve(child.exitCode);

    const sweepers = [start(), start()];
    for (let kills = 0; kills < 20; kills += 1) {
      await sleep(200 + 600 * random());
      const which = random() < 0.5 ? 0 : 1;
      sweepers[which]!.kill("SIGKILL");
      await ended(sweepers[which]!);
      appendFileSync(log, `kill - ${sweepers[which]!.pid}\n`);
      sweepers[which] = start();
    }
    expect(await Promise.all(sweepers.map(ended))).toEqual([0, 0]);

    const standings = await Promise.all(plan.runs.map((run) => standingOf(folder, run)));
    expect(standings.every((standing) => standing === "finished")).toBe(true);
    const { ends, overlaps } = readLog(readFileSync(log, "utf8"));
    expect(overlaps).toEqual([]);
    expect([...ends.values()].every((count) => count === 1)).toBe(true);
    // One that was killed between its results and its note has none.
    expect(ends.size).toBeGreaterThanOrEqual(300 - 20 * 4);
  });
});

/** How often each run ended, and what two sweepers had in hand at once. */
function readLog(text: string): { readonly ends: ReadonlyMap<string, number>; readonly overlaps: readonly string[] } {
  const ends = new Map<string, number>();
  const holders = new Map<string, string>();
  const overlaps: string[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const [what, id = "", pid = ""] = line.split(" ");
    if (what === "twice" || (what === "begin" && holders.has(id))) overlaps.push(line);
    if (what === "begin") holders.set(id, pid);
    if (what === "end") ends.set(id, (ends.get(id) ?? 0) + 1);
    if (what === "end") holders.delete(id);
    if (what === "kill") for (const [held, holder] of holders) if (holder === pid) holders.delete(held);
  }
  return { ends, overlaps };
}

const FINISHED: RunEnd = { outcome: "finished", message: "", output: "" };
const FAILED: RunEnd = { outcome: "failed", message: "no room", output: "last line" };

interface Tried {
  readonly events: SweepEvent[];
  readonly why: string;
  readonly started: string[];
  readonly most: number;
}

/** A sweep whose runs end as `end` says, which hears how often the run was begun. */
async function sweep(
  folder: string,
  plan: Plan,
  end: (condition: string, times: number) => RunEnd | Promise<RunEnd>,
  options: Partial<SweepOptions> = {},
): Promise<Tried> {
  const events: SweepEvent[] = [];
  const started: string[] = [];
  const underWay = new Set<string>();
  let most = 0;
  const left = leftBehind();
  const startRun: StartRun = ({ run }) => {
    started.push(run.id);
    underWay.add(run.id);
    most = Math.max(most, underWay.size);
    const times = started.filter((id) => id === run.id).length;
    const train = async (): Promise<RunEnd> => {
      const how = await end(run.condition, times);
      underWay.delete(run.id);
      const runFolder = runFolderOf(folder, run.id);
      if (how.outcome !== "finished") return how;
      createRunFolder(runFolder, run.config);
      writeFileSync(join(runFolder, "journal"), left.journal);
      writeFileSync(join(runFolder, "results.json"), JSON.stringify(left.results));
      return how;
    };
    return { resumed: false, ended: train(), stop: () => undefined };
  };
  const runner = new SweepRunner({
    folder,
    plan,
    slots: [0, 1].map((index) => ({ index, env: {} })),
    share: null,
    failFast: false,
    call: "one",
    startRun,
    here: { thawline: "", software: () => Promise.resolve(null) },
    onEvent: (event) => events.push(event),
    pollMilliseconds: 5,
    ...options,
  });
  const { why } = await runner.work();
  return { events, why, started, most };
}

const told = (events: readonly SweepEvent[], type: SweepEvent["type"]): string[] =>
  events.filter((event) => event.type === type).map(({ run }) => `${run.condition} ${run.seed}`);

const plan = await planned(SWEEP);

describe("a sweeper", () => {
  it("makes every run, as many at a time as it has slots, and nothing when it is called again", async () => {
    const folder = begun(plan);
    const first = await sweep(folder, plan, async () => sleep(5, FINISHED));
    expect([first.why, first.started.length, first.most]).toEqual(["done", 8, 2]);
    const again = await sweep(folder, plan, () => FINISHED);
    expect([again.why, again.started]).toEqual(["done", []]);
  });

  it("lets the others go on when a run fails, and begins it again in the next call", async () => {
    const folder = begun(plan);
    const fails = (condition: string): RunEnd => (condition === "online" ? FAILED : FINISHED);
    const first = await sweep(folder, plan, fails);
    expect(told(first.events, "failed")).toEqual(["online 0", "online 1"]);
    expect(told(first.events, "finished")).toHaveLength(6);
    expect(await standingOf(folder, plan.runs[1]!)).toBe("failed");
    const again = await sweep(folder, plan, () => FINISHED, { call: "two" });
    expect(told(again.events, "finished")).toEqual(["online 0", "online 1"]);
  });

  it("begins a failed run again within a call as often as `retries` says, and no more", async () => {
    const retried = await planned(`retries: 2\n${SWEEP}`);
    const folder = begun(retried);
    const { events, started } = await sweep(folder, retried, (condition, times) =>
      condition === "online" && times < 3 ? FAILED : condition === "standard" ? FAILED : FINISHED,
    );
    expect(told(events, "finished").filter((name) => name.startsWith("online"))).toHaveLength(2);
    const standard = retried.runs.find(({ condition, seed }) => condition === "standard" && seed === 0)!.id;
    expect(started.filter((id) => id === standard)).toHaveLength(3);
    const last = events.filter((event) => event.type === "failed" && event.run.id === standard);
    expect(last.map((event) => event.type === "failed" && event.again)).toEqual([true, true, false]);
  });

  it("stops at the first failure where that was asked for", async () => {
    const { why, started } = await sweep(begun(plan), plan, () => FAILED, { failFast: true });
    expect([why, started.length]).toEqual(["failed", 2]);
  });

  it("begins nothing when its time is nearly up", async () => {
    let left = 1000;
    const { why, started } = await sweep(
      begun(plan),
      plan,
      async () => {
        left = 30;
        return sleep(20, FINISHED);
      },
      { secondsLeft: () => left },
    );
    expect(why).toBe("time");
    expect(started.length).toBeLessThan(8);
  });

  it("tells why a folder cannot be made as that run's failure, and makes the others", async () => {
    const folder = begun(plan);
    writeFileSync(runFolderOf(folder, plan.runs[0]!.id), "a file in the way");
    const { events } = await sweep(folder, plan, () => FINISHED);
    expect(told(events, "failed")).toEqual(["standard 0"]);
    expect(told(events, "finished")).toHaveLength(7);
  });

  it("does not begin what was noted as taken", async () => {
    const folder = begun(plan);
    const [source, run] = [plan.runs[1]!, plan.runs[2]!];
    const first = await sweep(folder, plan, (condition) => (condition === "fixed" ? FAILED : FINISHED));
    expect(first.why).toBe("done");
    TAKEN.write(folder, run.id, { from: source.id });
    const again = await sweep(folder, plan, () => FINISHED, { call: "two" });
    expect(again.started).not.toContain(run.id);
    expect(again.started).toHaveLength(3);
  });
});
