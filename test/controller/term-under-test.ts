import { factsOf } from "../support/worker-facts.js";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunConfig } from "../../src/config/attached.js";
import type { ControllerOptions } from "../../src/controller/options.js";
import { Faults } from "../../src/controller/faults.js";
import { Term, type TermStart } from "../../src/controller/term.js";
import type { State } from "../../src/core/state.js";
import { watchFolder } from "../../src/runs/folder-identity.js";
import type { JournalRecord } from "../../src/journal/format.js";
import type { Body } from "../../src/protocol/messages.js";
import { BLOCKS, simulatedConfig } from "../support/simulated-run.js";
import { FakeClock } from "./fake-clock.js";
import { FakeJournal } from "./fake-journal.js";
import { FakeLauncher } from "./fake-launcher.js";
import { FakeRouter } from "./fake-router.js";
import { Ledger } from "./ledger.js";

const SECONDS = { train: 1, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };

/** A term whose whole world is fake: clock, worker, launcher and journal. What it does to them is in `ledger`. */
export class TermUnderTest {
  readonly ledger = new Ledger();
  readonly clock = new FakeClock();
  readonly launcher = new FakeLauncher(this.ledger);
  readonly journal = new FakeJournal(this.ledger);
  readonly folder = mkdtempSync(join(tmpdir(), "thawline-term-"));
  readonly notices: string[] = [];
  readonly faults = new Faults();
  router!: FakeRouter;
  state: State | null = null;
  /** As Ctrl-C does. */
  interrupt: (signal: string) => void = () => undefined;
  readonly ended: Promise<State>;

  constructor(config: RunConfig = simulatedConfig(), more: Partial<ControllerOptions & Pick<TermStart, "past">> = {}) {
    const options: ControllerOptions = {
      runFolder: this.folder,
      create: null,
      launcher: this.launcher,
      worker: { command: ["python", "-m", "thawline.worker"], pythonFolder: "/package/python" },
      thawlineVersion: "0",
      clock: this.clock,
      openRouter: (given) => {
        this.router = new FakeRouter(given, this.ledger);
        return Promise.resolve(this.router);
      },
      onRecord: (_: JournalRecord, state: State) => (this.state = state),
      onNotice: (line) => this.notices.push(line),
      interrupts: { listen: (listener) => (this.interrupt = listener) },
      ...more,
    };
    writeFileSync(join(this.folder, "journal"), "");
    const folder = watchFolder(this.folder, null, false);
    const { faults, journal: writer } = this;
    const start = { term: 1, run: "r", config, past: more.past ?? null, writer, faults, folder };
    this.ended = Term.run(options, start);
    // Whoever waits for the end hears of a fault; a test that does not must not fail by it.
    this.ended.catch(() => undefined);
  }

  /** Up to a worker that has been told its configuration. */
  async welcomed(): Promise<this> {
    await this.ledger.until("journal attempt/launched");
    const hello = { protocol: { major: 1, minor: 0 }, pid: 4001, host: "here", attempt: 1, versions: {} };
    this.router.say("hello", hello);
    return this;
  }

  /** Up to a worker that has been granted a stay where it stands. */
  async prepared(changes: Partial<Body<"ready">> = {}): Promise<this> {
    await this.welcomed();
    this.router.say("ready", {
      blocks: BLOCKS.map((name) => ({ name, num_params: 10 })),
      head: { name: "head", num_params: 5 },
      num_updates: 60,
      updates_per_epoch: 60,
      learning_rates: [0.1],
      device: "cpu",
      threads: 1,
      seed: 0,
      resumed_from: 0,
      can: ["checkpoint", "evaluate"],
      ...changes,
    });
    this.apply();
    return this;
  }

  /** Up to a worker that trains. */
  async training(changes: Partial<Body<"ready">> = {}): Promise<this> {
    await this.prepared(changes);
    this.reach();
    this.carryOut();
    return this;
  }

  /** The worker says that it did what its last grant said. */
  apply(): void {
    const { trainable, learning_rate_factor } = this.grant;
    this.router.say("applied", {
      update: factsOf(this.state!.attempt).update,
      trainable_sha256: "0".repeat(64),
      num_trainable: 5 + 10 * (trainable.length - 1),
      learning_rates: [0.1 * learning_rate_factor],
    });
  }

  /** The worker does what its grant orders, and says so. */
  carryOut(): void {
    const { orders } = this.grant;
    const step = factsOf(this.state!.attempt).update - 1;
    const path = `checkpoints/step-${String(step).padStart(8, "0")}`;
    const saved = { path, step, manifest_sha256: "0".repeat(64), weights_sha256: "0".repeat(64) };
    if (orders.includes("checkpoint")) this.router.say("checkpointed", saved);
    if (orders.length > 0) this.apply();
  }

  /** The worker reaches the boundary that its grant ends at, or where it was recalled. */
  reach(update = this.grant.until!, recalled = false): void {
    const value = { value: 1, standard_error: null, change_standard_error: null, span_standard_error: null };
    const metrics = recalled ? [] : this.grant.probe.map((name) => ({ key: `probe/${name}`, ...value, seconds: 0 }));
    this.router.say("boundary", { update, recalled, metrics, seconds: SECONDS });
  }

  /** The worker closes and its process ends. */
  leave(outcome: "stopped" | "finished", step: number): void {
    const stopped = { step, seconds: SECONDS };
    const finished = { outcome: "finished" as const, weights_sha256: "0".repeat(64), ...stopped };
    this.router.say("closed", outcome === "finished" ? finished : { outcome, ...stopped });
    this.launcher.workers.at(-1)!.exit(0);
  }

  get grant(): Body<"grant"> {
    return this.router.bodies("grant").at(-1)!;
  }

  /** Ends what the test left running. */
  async dispose(): Promise<void> {
    this.interrupt("SIGINT");
    this.interrupt("SIGINT");
    await this.clock.pass(1000);
    await this.ended.catch(() => undefined);
    rmSync(this.folder, { recursive: true });
  }
}
