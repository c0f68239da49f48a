import type { RunConfig } from "../config/attached.js";
import type { Body } from "../protocol/messages.js";

/** What an operator may ask for. */
export const REQUEST_VERBS = ["pause", "continue", "unfreeze", "set-lr", "evaluate", "checkpoint", "stop"] as const;
export type RequestVerb = (typeof REQUEST_VERBS)[number];

/** What an operator asked for; `at` delays it to that update. */
export type OperatorRequest =
  | { readonly verb: Exclude<RequestVerb, "set-lr">; readonly at?: number | undefined }
  | { readonly verb: "set-lr"; readonly factor: number; readonly at?: number | undefined };

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
  /** A controller process took the run over; the first of a run has term 1. */
  | {
      readonly type: "controller/started";
      readonly term: number;
      readonly pid: number;
      readonly host: string;
      /** Which folder it holds, to tell a copy from it; `identity` is in the environment of all that it starts. */
      readonly folder?: {
        readonly identity: string;
        readonly path: string;
        readonly device: number;
        readonly inode: number;
      };
      /** The identity of the folder that this one was copied from. */
      readonly copyOf?: string;
    }
  | { readonly type: "controller/interrupted"; readonly signal: string }
  /** A fault of the controller's own, for which it ends: for people only, the run can be resumed. */
  | { readonly type: "controller/failed"; readonly message: string }
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
      readonly type: "operator/requested";
      readonly id: string;
      readonly who: string;
      readonly request: OperatorRequest;
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
