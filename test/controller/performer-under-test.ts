import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Performer } from "../../src/controller/perform.js";
import type { Command } from "../../src/core/commands.js";
import type { Event } from "../../src/core/events.js";
import type { State } from "../../src/core/state.js";
import { loadAttachedConfig } from "../../src/config/attached.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";
import { FakeClock } from "./fake-clock.js";
import { FakeLauncher } from "./fake-launcher.js";
import { FakeRouter } from "./fake-router.js";
import { Ledger } from "./ledger.js";

const script = { command: ["python", "train.py"] as [string, string], folder: "/home/me", restart: false };

export const WORKER = { command: ["python", "-m", "thawline.worker"], pythonFolder: "/package/python" } as const;

/** A run that was just started. */
export const { state: STATE } = new SimulatedRun(simulatedConfig("device.threads=2", "device.shared=true"));

/** The same of a script. */
export const SCRIPT_STATE: State = {
  ...STATE,
  config: loadAttachedConfig({ file: null, overrides: [], env: {}, cwd: "/", script }),
};

export const CHECKPOINT = { step: 7, path: "checkpoints/step-00000007", manifestSha256: "a", weightsSha256: "b" };

export const LAUNCH = { type: "worker/launch", attempt: 1, resumeFrom: null, delaySeconds: 0 } as const;

/** A performer with a fake clock, line and launcher; what it does and tells is in `ledger`. */
export class PerformerUnderTest {
  readonly folder = mkdtempSync(join(tmpdir(), "thawline-perform-"));
  readonly ledger = new Ledger();
  readonly clock = new FakeClock();
  readonly router = new FakeRouter({ run: "r", onEvent: () => undefined }, this.ledger);
  readonly launcher = new FakeLauncher(this.ledger);
  readonly events: Event[] = [];
  readonly faults: unknown[] = [];
  readonly notices: string[] = [];
  awaitsLastWords = false;
  private readonly performer = new Performer({
    runFolder: this.folder,
    router: this.router,
    launcher: this.launcher,
    worker: WORKER,
    clock: this.clock,
    runIdentity: "1d",
    emit: (event) => {
      this.events.push(event);
      this.ledger.note(event.type);
    },
    awaitsLastWords: () => this.awaitsLastWords,
    onFinish: () => this.ledger.note("finish"),
    onNotice: (line) => this.notices.push(line),
    onFault: (error) => {
      this.faults.push(error);
      this.ledger.note("fault");
    },
  });

  perform(command: Command, state: State = STATE): void {
    this.performer.perform(command, state);
  }

  close(): Promise<void> {
    return this.performer.close();
  }

  /** Lets an attempt start; returns the path of the file with its keys. */
  async launched(): Promise<string> {
    this.perform(LAUNCH);
    await this.ledger.until("attempt/launched");
    return this.launcher.requests.at(-1)!.bootstrapPath;
  }

  async dispose(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true });
  }
}
