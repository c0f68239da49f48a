import type { RunConfig } from "../config/attached.js";
import type { Body } from "../protocol/messages.js";

/** What an operator asked for; `at` delays it to that update. */
export type OperatorCommand =
  | { readonly verb: "pause" | "continue" | "evaluate" | "checkpoint" | "stop"; readonly at?: number }
  | { readonly verb: "unfreeze"; readonly at?: number }
  | { readonly verb: "set-lr"; readonly factor: number; readonly at?: number };

export type SupervisionClock = "connect" | "ready" | "progress" | "stop";

/** The facts a run consists of, in the order in which the controller learned them. Names are `domain/pastTense`. */
export type Event =
  | {
      readonly type: "run/created";
      readonly format: number;
      readonly coreVersion: number;
      readonly run: string;
      readonly config: RunConfig;
    }
  /** A controller process took the run over; the first of a run has epoch 1. */
  | { readonly type: "controller/started"; readonly epoch: number; readonly pid: number; readonly host: string }
  | { readonly type: "controller/interrupted"; readonly signal: string }
  | { readonly type: "attempt/launched"; readonly attempt: number; readonly pid: number; readonly startTime: string }
  | {
      readonly type: "attempt/launchFailed";
      readonly attempt: number;
      readonly code: string;
      readonly message: string;
      readonly hint: string;
    }
  | {
      readonly type: "attempt/exited";
      readonly attempt: number;
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly tail: string;
    }
  | {
      readonly type: "attempt/timedOut";
      readonly attempt: number;
      readonly clock: SupervisionClock;
      readonly seconds: number;
    }
  | { readonly type: "attempt/violated"; readonly attempt: number; readonly reason: string }
  | { readonly type: "attempt/incompatible"; readonly attempt: number; readonly theirs: string; readonly ours: string }
  /** Shown to people only: the link or the work has been quiet for longer than usual. */
  | {
      readonly type: "attempt/quiet";
      readonly attempt: number;
      readonly what: "link" | "work";
      readonly seconds: number;
    }
  | WorkerEvent
  | {
      readonly type: "operator/commanded";
      readonly id: string;
      readonly who: string;
      readonly command: OperatorCommand;
    };

/** A message of the worker, as a fact. */
export type WorkerEvent = {
  [T in keyof WorkerEventBodies]: { readonly type: T; readonly attempt: number; readonly body: WorkerEventBodies[T] };
}[keyof WorkerEventBodies];

export interface WorkerEventBodies {
  "worker/connected": Body<"hello">;
  "worker/remembered": Body<"history">;
  "worker/prepared": Body<"ready">;
  "worker/applied": Body<"applied">;
  "worker/reachedBoundary": Body<"boundary">;
  "worker/progressed": Body<"progress">;
  "worker/evaluated": Body<"evaluated">;
  "worker/checkpointed": Body<"checkpointed">;
  "worker/kept": Body<"kept">;
  "worker/logged": Body<"log">;
  "worker/closed": Body<"closed">;
}

export type EventType = Event["type"];
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;
