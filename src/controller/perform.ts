import type { Command } from "../core/commands.js";
import type { State } from "../core/state.js";
import { BugError } from "../errors.js";
import { ProtocolError } from "../protocol/codec.js";
import type { Body, ControllerKind } from "../protocol/messages.js";
import { TransportError } from "../transport/outbound-queue.js";
import { removeStoredFolder } from "./stored-folders.js";
import { composeWelcome } from "./welcome.js";
import { workerConfig } from "./worker-config.js";
import { LAST_WORDS_MILLISECONDS, WorkerProcess, type WorkerProcessOptions } from "./worker-process.js";
import { codeOf, reasonOf } from "../whole-file.js";

export interface PerformerOptions extends WorkerProcessOptions {
  readonly onFinish: () => void;
}

/** Turns commands into effects: processes, messages, files. */
export class Performer {
  private readonly worker: WorkerProcess;

  constructor(private readonly options: PerformerOptions) {
    this.worker = new WorkerProcess(options);
  }

  /** Carries out one command. Never throws for what the outside world does: that comes back as an event. */
  perform(command: Command, state: State): void {
    switch (command.type) {
      case "worker/launch":
        return this.worker.launch(command.attempt, command.delaySeconds, state);
      case "worker/welcome":
        return this.welcome(command, state);
      case "worker/grant":
        return this.send(command.attempt, "grant", command.body);
      case "worker/recall":
        return this.send(command.attempt, "recall", {});
      case "worker/stop":
        return this.send(command.attempt, "stop", command.body);
      case "worker/kill":
        return this.worker.kill(command.attempt);
      case "checkpoint/remove":
        return command.paths.forEach((path) => this.removeFolder(path));
      case "run/finish":
        return this.options.onFinish();
    }
  }

  /** Leaves nothing behind: no process, no bootstrap file. */
  close(): Promise<void> {
    return this.worker.close();
  }

  private welcome({ attempt, resumeFrom }: Extract<Command, { type: "worker/welcome" }>, state: State): void {
    this.worker.forgetKeys();
    this.send(attempt, "welcome", composeWelcome(workerConfig(state.config), this.options.runFolder, resumeFrom));
  }

  /** One that cannot be removed costs room, and is tried again before the next attempt. */
  private removeFolder(path: string): void {
    try {
      removeStoredFolder(this.options.runFolder, path);
    } catch (error) {
      if (codeOf(error) === null) throw error;
      this.options.onNotice(`\`${path}\` is not needed any more and cannot be removed (${reasonOf(error)})`);
    }
  }

  private send<K extends ControllerKind>(attempt: number, kind: K, body: Body<K>): void {
    this.options.router
      .send(kind, body)
      .catch((error: unknown) => this.judgeUnsent(attempt, kind, error))
      .catch(this.options.onFault);
  }

  /**
   * A worker that cannot be reached is the worker's fault; anything else is ours, and no other attempt would mend it.
   *
   * @throws whatever is ours
   */
  private async judgeUnsent(attempt: number, kind: ControllerKind, error: unknown): Promise<void> {
    if (error instanceof ProtocolError) {
      throw new BugError(`the controller's own \`${kind}\` breaks the protocol: ${error.message}`, { cause: error });
    }
    if (!(error instanceof TransportError)) throw error;
    // If the process is gone too, its exit has the better story; the reducer keeps the first one it hears.
    await this.options.clock.sleep(LAST_WORDS_MILLISECONDS);
    this.options.emit({ type: "attempt/violated", attempt, reason: `it cannot be reached: ${error.message}` });
  }
}
