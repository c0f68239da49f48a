import type { Body } from "../../protocol/messages.js";
import { finish } from "../end-run.js";
import type { EventOf } from "../events.js";
import { confirmStops, stopOrderedBy } from "../operator/requests.js";
import type { RunEnd, State } from "../state.js";
import { andThen, stay, withDecisions, type Transition } from "../transition.js";
import { closed, lastWordOf, standingOf, type Attempt } from "./attempt.js";
import { launchAttempt, newestCheckpoint } from "./launch.js";
import { withParts } from "../parts.js";
import { endOfScript, withTail } from "./script-end.js";

const GO_ON = "`npx thawline resume` starts the script again, and `attach --restart` does so by itself";

/** The process is gone: finish, give up, or start the next attempt. */
export function exitAttempt(state: State, attempt: Attempt, event: EventOf<"attempt/exited">): Transition {
  const word = lastWordOf(attempt);
  const gone: State = withParts(state, { attempt: closed(attempt, word) });
  const end = state.config.script === undefined ? null : endOfScript(state, attempt, event);
  if (end !== null) return finish(gone, end);
  if (word?.outcome === "finished") return finish(gone, finished(state, word));
  if (attempt.ended?.refusal != null) return finish(gone, attempt.ended.refusal);
  if (word?.outcome === "failed" && word.fault !== "environment") return failOrFallBack(gone, attempt, word);
  if (stopOrderedBy(state) !== null || word?.outcome === "stopped") {
    return andThen(confirmStops(gone), (next) => finish(next, stopped(next)));
  }
  const why = describeDeath(state, attempt, event);
  return restart(gone, attempt, why, event.tail);
}

function finished(state: State, { step, early }: Extract<Body<"closed">, { outcome: "finished" }>): RunEnd {
  const announced = early === true ? (state.model?.numUpdates ?? null) : null;
  return { outcome: "finished", exitCode: 0, ...(announced === null ? {} : { early: { step, announced } }) };
}

function stopped(state: State): RunEnd {
  const checkpoint = newestCheckpoint(state);
  const by = state.operator.interrupted === "operator" ? "the operator stopped the run" : "the run was interrupted";
  const none = state.config.script === undefined ? "it has no checkpoint yet" : "the script's own checkpoints count";
  const from = checkpoint === null ? none : `its last checkpoint is at step ${checkpoint.step}`;
  return { outcome: "stopped", exitCode: 130, message: `${by}; ${from}` };
}

type Failed = Extract<Body<"closed">, { outcome: "failed" }>;

/** The user's and the code's faults end the run, except a corrupt checkpoint: an older one may still do. */
function failOrFallBack(state: State, attempt: Attempt, word: Failed): Transition {
  if (word.code === "corrupt_checkpoint" && attempt.resumeFrom !== null) {
    const corrupt = attempt.resumeFrom;
    const left = state.weights.checkpoints.filter((checkpoint) => checkpoint.path !== corrupt.path);
    return restart(withParts(state, { weights: { ...state.weights, checkpoints: left } }), attempt, word.message, "");
  }
  return finish(state, {
    outcome: "failed",
    exitCode: word.fault === "user" ? 2 : 1,
    code: word.code,
    message: word.message,
    hint: word.hint,
  });
}

function restart(state: State, attempt: Attempt, why: string, tail: string): Transition {
  const restarts = state.attempts.restarts + 1;
  const { script, supervision } = state.config;
  const limit = supervision.max_restarts ?? 0;
  const allowed = restarts <= limit;
  const said = withDecisions(stay(state), { type: "attempt/ended", attempt: attempt.number, why, restart: allowed });
  if (allowed) return andThen(said, (next) => launchAttempt(next, restarts));
  const times = limit === 0 ? "" : `, after ${limit} restart${limit === 1 ? "" : "s"} without a newer checkpoint`;
  return andThen(said, (next) =>
    finish(next, {
      outcome: "failed",
      exitCode: 1,
      code: "worker_lost",
      message: `the ${script === undefined ? "worker" : "script"} failed${times}: ${why}`,
      hint: withTail(script === undefined ? "" : GO_ON, tail),
    }),
  );
}

function describeDeath(state: State, attempt: Attempt, event: EventOf<"attempt/exited">): string {
  if (attempt.ended !== null) return attempt.ended.why;
  const word = lastWordOf(attempt);
  if (word?.outcome === "failed") return word.message;
  const how =
    event.signal === null ? `exited with code ${event.exitCode ?? "unknown"}` : `was ended by ${event.signal}`;
  const step = state.progress.latest?.step ?? lastStep(attempt);
  return `it ${how} without closing${step === null ? " before training" : `, last seen at step ${step}`}`;
}

function lastStep(attempt: Attempt): number | null {
  const standing = standingOf(attempt);
  return standing === null ? null : standing.update - 1;
}
