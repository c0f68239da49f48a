import type { SupervisionClock } from "../events.js";
import type { State } from "../state.js";
import { stay, withCommands, type Transition } from "../transition.js";
import { withParts } from "../parts.js";
import type { Attempt, Refusal } from "./attempt.js";

/** Ends an attempt that broke the protocol or a clock; its process is killed and its exit decides about a restart. */
export function endAttempt(state: State, attempt: Attempt, why: string): Transition {
  return end(state, attempt, why, null);
}

/** Ends an attempt that no restart can help: its process is killed, and the run ends as `refusal` says once it is gone. */
export function refuseAttempt(state: State, attempt: Attempt, refusal: Refusal): Transition {
  return end(state, attempt, refusal.message, refusal);
}

function end(state: State, attempt: Attempt, why: string, refusal: Refusal | null): Transition {
  if (attempt.ended !== null) {
    // Killed once is enough; what no restart can help stays so.
    const { why: first } = attempt.ended;
    return stay(
      refusal === null ? state : withParts(state, { attempt: { ...attempt, ended: { why: first, refusal } } }),
    );
  }
  const ended: State = withParts(state, { attempt: { ...attempt, ended: { why, refusal } } });
  return withCommands(stay(ended), { type: "worker/kill", attempt: attempt.number });
}

export function describeTimeout(clock: SupervisionClock, seconds: number): string {
  const what = {
    connect: "it did not connect",
    ready: "it was not ready to train",
    progress: "it made no progress",
    stop: "it did not stop",
  }[clock];
  return `${what} within ${seconds} s`;
}
