import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { control, type ControllerEnd } from "../../src/controller/controller.js";
import type { ControllerOptions } from "../../src/controller/options.js";
import { CORE_VERSION } from "../../src/core/state.js";
import { UserError } from "../../src/errors.js";
import { encodeRecord, JOURNAL_FORMAT } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { replayJournal } from "../../src/journal/replay.js";
import { simulatedConfig } from "../support/simulated-run.js";
import { FakeClock } from "./fake-clock.js";
import { FakeLauncher } from "./fake-launcher.js";
import { FakeRouter } from "./fake-router.js";
import { Ledger } from "./ledger.js";

const CREATE = { run: "r", config: simulatedConfig() };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-controller-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A controller of the run in `runFolder`, on a real journal and lock there; clock, worker and line to it are fake. */
class Controlled {
  readonly ledger = new Ledger();
  readonly clock = new FakeClock();
  readonly launcher = new FakeLauncher(this.ledger);
  readonly end: Promise<ControllerEnd>;
  private interrupt: (signal: string) => void = () => undefined;

  constructor(create: ControllerOptions["create"], runFolder = folder, refusal: Error | null = null, asCopy = false) {
    this.launcher.refusal = refusal;
    this.end = control({
      runFolder,
      create,
      asCopy,
      launcher: this.launcher,
      worker: { command: ["python", "-m", "thawline.worker"], pythonFolder: "/package/python" },
      thawlineVersion: "0",
      clock: this.clock,
      openRouter: (given) => Promise.resolve(new FakeRouter(given, this.ledger)),
      onRecord: ({ event }) => this.ledger.note(event.type),
      interrupts: { listen: (listener) => (this.interrupt = listener) },
    });
  }

  /** Up to a worker that has been started. */
  async launched(): Promise<this> {
    await this.ledger.until("attempt/launched");
    return this;
  }

  /** Its end after `seconds` more, by two signals. */
  async stoppedAfter(seconds: number): Promise<ControllerEnd> {
    await this.clock.pass(seconds * 1000);
    this.interrupt("SIGINT");
    this.interrupt("SIGINT");
    return this.end;
  }
}

const NO_PYTHON = new UserError({ code: "no_python", message: "there is no Python", hint: "install one" });

const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

describe("a new run", () => {
  it("leaves its journal, its outcome and a released lock", async () => {
    const { state, results } = await new Controlled(CREATE, folder, NO_PYTHON).end;
    expect(state.end).toEqual({
      outcome: "failed",
      exitCode: 2,
      code: "no_python",
      message: "there is no Python",
      hint: "install one",
    });
    const { records } = await readJournal(folder);
    expect(replayJournal(records)).toEqual(state);
    expect(json("results.json")).toEqual(JSON.parse(JSON.stringify(results)));
    expect(json("manifest.json")).toMatchObject({ run: "r", thawline: "0" });
    expect(statSync(join(folder, "lock.1")).size).toBe(0);
  });

  it("belongs to one controller at a time", async () => {
    const first = await new Controlled(CREATE).launched();
    await expect(new Controlled(null).end).rejects.toMatchObject({ code: "run_in_use" });
    const { state } = await first.stoppedAfter(0);
    expect(state).toMatchObject({ term: 1, end: { outcome: "stopped" } });
  });
});

describe("a run that is gone on with", () => {
  it("is in its next term, and adds up the time that its controllers lived", async () => {
    const first = await new Controlled(CREATE).launched();
    expect((await first.stoppedAfter(60)).results.wall_seconds).toBe(60);
    const second = await new Controlled(null).launched();
    const { state, results } = await second.stoppedAfter(30);
    expect(state).toMatchObject({ run: "r", term: 2, attempts: { launched: 2 } });
    expect(results.wall_seconds).toBe(90);
    expect(json("results.json")).toMatchObject({ wall_seconds: 90, attempts: 2 });
  });

  it("may have lost its controller in the middle of a record", async () => {
    const killed = await new Controlled(CREATE).launched();
    const left = mkdtempSync(join(folder, "left-"));
    copyFileSync(join(folder, "journal"), join(left, "journal"));
    await killed.stoppedAfter(0);
    writeFileSync(join(left, "lock.1"), JSON.stringify({ pid: process.pid, startTime: "0", host: hostname() }));
    const whole = readFileSync(join(left, "journal"), "utf8");
    appendFileSync(join(left, "journal"), '00000000 {"n":4,"te');

    const { state } = await (await new Controlled(null, left, null, true).launched()).stoppedAfter(0);
    expect(state).toMatchObject({ term: 2, attempts: { launched: 2 } });
    expect(readFileSync(join(left, "journal"), "utf8").startsWith(whole)).toBe(true);
    const { records } = await readJournal(left);
    expect(records.map(({ n }) => n)).toEqual(records.map((_, index) => index + 1));
    expect(replayJournal(records)).toEqual(state);
  });

  it("is refused when another core decided it, and left as it is", async () => {
    const created = { type: "run/created", format: JOURNAL_FORMAT, coreVersion: CORE_VERSION + 1, ...CREATE } as const;
    const journal = encodeRecord({ n: 1, term: 1, at: "2026-01-01T00:00:00.000Z", event: created });
    writeFileSync(join(folder, "journal"), journal);
    const refused = new Controlled(null);
    await expect(refused.end).rejects.toMatchObject({ code: "other_core_version" });
    expect(readFileSync(join(folder, "journal"), "utf8")).toBe(journal);
    expect(statSync(join(folder, "lock.1")).size).toBe(0);
    expect(refused.launcher.requests).toEqual([]);
  });
});
