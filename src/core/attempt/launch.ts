import { refuseOpenRequests } from "../end-run.js";
import type { Checkpoint, State } from "../state.js";
import { andThen, stay, withCommands, type Transition } from "../transition.js";
import { withParts, withProgress } from "../parts.js";
import type { Launching } from "./attempt.js";

/** Each restart without progress waits twice as long as the one before: a full disk or a lost device needs time. */
const LONGEST_DELAY_DOUBLINGS = 5;

/** Orders the next attempt, from the newest checkpoint in the journal. */
export function launchAttempt(state: State, restarts: number): Transition {
  const number = state.attempts.launched + 1;
  const resumeFrom = newestCheckpoint(state);
  const attempt: Launching = { stage: "launching", number, resumeFrom, process: null, ended: null };
  const doublings = Math.min(restarts - 1, LONGEST_DELAY_DOUBLINGS);
  const delaySeconds = restarts === 0 ? 0 : (state.config.supervision.restart_delay_seconds ?? 0) * 2 ** doublings;
  return withCommands(
    stay(
      withParts(state, {
        attempt,
        attempts: { launched: number, restarts },
        progress: withProgress(state.progress, { latest: null }),
      }),
    ),
    {
      type: "worker/launch",
      attempt: number,
      resumeFrom,
      delaySeconds,
    },
  );
}

export function newestCheckpoint(state: State): Checkpoint | null {
  return state.weights.checkpoints.reduce<Checkpoint | null>(
    (best, checkpoint) => (best === null || checkpoint.step > best.step ? checkpoint : best),
    null,
  );
}

/** A controller takes the run over: whatever attempt the journal knew is gone; pause and stop do not survive. */
export function startController(state: State, term: number): Transition {
  const fresh: State = withParts(state, {
    term,
    attempt: null,
    operator: { ...state.operator, paused: false, interrupted: null },
    end: null,
  });
  const expired = refuseOpenRequests(fresh, "the controller that accepted it is gone");
  return andThen(expired, (next) => launchAttempt(next, 0));
}
