import type { EventOf } from "../events.js";
import { stopOrderedBy } from "../operator/requests.js";
import type { State } from "../state.js";
import { lastWordOf, type Attempt, type Refusal } from "./attempt.js";

/*
 * A script is the user's own: it may never attach, go on after its training, fail in code that is none of ours, and
 * is not started again unless that was asked for.
 */

type Exit = EventOf<"attempt/exited">;

const ATTACH = "call `thawline.attach` in it, as docs/attach.md shows";

/** How a run ends by the exit of its script, where a built-in worker's exit would mean something else; else null. */
export function endOfScript(state: State, attempt: Attempt, exit: Exit): Refusal | null {
  const closed = lastWordOf(attempt);
  if (stopOrderedBy(state) !== null || attempt.ended?.refusal != null) return null;
  if (closed?.outcome === "finished" && exit.exitCode !== 0) {
    return failure("script_failed", `the training finished, but then the script ${describeExit(exit)}`, exit.tail);
  }
  if (closed?.outcome === "failed" && closed.fault === "code") {
    // The hint for an exception says where its traceback is: here it follows.
    const hint = closed.code === "exception" && exit.tail !== "" ? "" : closed.hint;
    return { ...failure(closed.code, closed.message, exit.tail), hint: withTail(hint, exit.tail) };
  }
  // Nothing has ever attached: another start would end in the same way.
  return closed === null && state.software === null ? endBeforeAttaching(state, attempt, exit) : null;
}

function endBeforeAttaching({ config }: State, attempt: Attempt, exit: Exit): Refusal {
  const never = { outcome: "failed", exitCode: 2, code: "not_attached" } as const;
  if (attempt.ended !== null) {
    const message = `the script did not call \`thawline.attach\` within ${config.supervision.connect_seconds} s`;
    return { ...never, message, hint: `${ATTACH}, or raise \`supervision.connect_seconds\`` };
  }
  if (exit.exitCode === 0) {
    return { ...never, message: "the script ended without having called `thawline.attach`", hint: ATTACH };
  }
  return failure("script_failed", `the script ${describeExit(exit)} before it called \`thawline.attach\``, exit.tail);
}

function failure(code: string, message: string, tail: string): Refusal {
  return { outcome: "failed", exitCode: 1, code, message, hint: withTail("", tail) };
}

/** What whoever reads the end of a script's run needs: what to do, and the script's own last words. */
export function withTail(hint: string, tail: string): string {
  const words = tail === "" ? "the whole output is in `worker.log`" : `the end of \`worker.log\`:\n${tail}`;
  return hint === "" || tail === "" ? hint || words : `${hint}; ${words}`;
}

function describeExit({ exitCode, signal }: Exit): string {
  return signal === null ? `exited with code ${exitCode ?? "unknown"}` : `was ended by ${signal}`;
}
