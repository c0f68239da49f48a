import type { Event, WorkerEventBodies } from "../core/events.js";
import type { MessageKind } from "../protocol/messages.js";
import { PROTOCOL_VERSION } from "../protocol/version.js";
import type { RouterEvent } from "../transport/worker-router.js";

const MESSAGE_EVENTS = {
  hello: "worker/connected",
  history: "worker/remembered",
  ready: "worker/prepared",
  applied: "worker/applied",
  boundary: "worker/reachedBoundary",
  progress: "worker/progressed",
  evaluated: "worker/evaluated",
  checkpointed: "worker/checkpointed",
  kept: "worker/kept",
  log: "worker/logged",
  closed: "worker/closed",
} as const satisfies Partial<Record<MessageKind, keyof WorkerEventBodies>>;

/** What the socket brought, as a fact for the core; `attempt` is the one under way. */
export function workerEvent(heard: Exclude<RouterEvent, { type: "dropped" }>, attempt: number): Event {
  switch (heard.type) {
    case "message": {
      const { kind, attempt: sender, body } = heard.message;
      // The union of kinds and the union of events run in parallel, which TypeScript cannot follow.
      return { type: MESSAGE_EVENTS[kind], attempt: sender, body } as Event;
    }
    case "violation":
      return { type: "attempt/violated", attempt, reason: `it broke the protocol: ${heard.reason}` };
    case "incompatible": {
      const theirs = `${heard.theirs.major}.${heard.theirs.minor}`;
      const ours = `${PROTOCOL_VERSION.major}.${PROTOCOL_VERSION.minor}`;
      return { type: "attempt/incompatible", attempt, theirs, ours };
    }
  }
}

/** Events that show that the worker's work goes on; pongs and log lines do not. */
export function showsWork({ type }: Event): boolean {
  return (
    type === "worker/reachedBoundary" ||
    type === "worker/progressed" ||
    type === "worker/evaluated" ||
    type === "worker/checkpointed" ||
    type === "worker/kept" ||
    type === "worker/applied"
  );
}

/** Progress is for people: once a second in the journal, and once in ten seconds after the first hour. */
const PROGRESS_MILLISECONDS = 1000;
const LATE_PROGRESS_MILLISECONDS = 10_000;
const LATE_AFTER_MILLISECONDS = 3_600_000;

/** Log lines are for people too: this many at once, then one a second, or a chatty worker fills the disk. */
const LOG_LINES_AT_ONCE = 100;
const LOG_LINE_MILLISECONDS = 1000;

/** Says which messages for people are worth a record. `now` is monotonic milliseconds. */
export function createRecordGate(now: () => number): (kind: MessageKind) => boolean {
  const began = now();
  let progressAt = -Infinity;
  let logLines = LOG_LINES_AT_ONCE;
  let logAt = began;
  const letProgress = (): boolean => {
    const interval = now() - began > LATE_AFTER_MILLISECONDS ? LATE_PROGRESS_MILLISECONDS : PROGRESS_MILLISECONDS;
    if (now() - progressAt < interval) return false;
    progressAt = now();
    return true;
  };
  const letLogLine = (): boolean => {
    logLines = Math.min(LOG_LINES_AT_ONCE, logLines + (now() - logAt) / LOG_LINE_MILLISECONDS);
    logAt = now();
    if (logLines < 1) return false;
    logLines -= 1;
    return true;
  };
  return (kind) => (kind === "progress" ? letProgress() : kind === "log" ? letLogLine() : true);
}
