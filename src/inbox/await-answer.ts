import { ExternalError } from "../errors.js";
import type { Decision } from "../core/commands.js";
import type { OperatorRequest } from "../core/events.js";
import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import { liveHolder } from "../journal/lock.js";
import { followJournal, scanJournal } from "../journal/reader.js";
import { reduceRecord } from "../journal/replay.js";

const POLL_MILLISECONDS = 100;

/**
 * Follows the journal to what becomes of request `id`: in effect, or waiting for a paused run to go on.
 * @throws ExternalError when it was refused, or the controller ended first
 */
export async function awaitAnswer(runFolder: string, id: string, { verb }: OperatorRequest): Promise<string> {
  const reader = new AnswerReader(id, verb);
  // The journal cannot tell that its controller is gone: one that is killed writes nothing, and others write
  // their last record before they let go of the lock.
  const gone = new AbortController();
  const lookout = setInterval(() => liveHolder(runFolder) ?? gone.abort(), POLL_MILLISECONDS);
  try {
    for await (const { records, isLast } of followJournal(runFolder, {
      signal: gone.signal,
      pollMilliseconds: POLL_MILLISECONDS,
    })) {
      const answer = reader.read(records, isLast);
      if (answer !== null) return answer;
    }
    const again = new AnswerReader(id, verb);
    let answer: string | null = null;
    await scanJournal(runFolder, (records) => (answer ??= again.read(records, false)));
    answer ??= again.read([], true);
    if (answer !== null) return answer;
  } finally {
    clearInterval(lookout);
  }
  throw new ExternalError({ code: "run_ended", message: `the controller ended before \`${verb}\` took effect` });
}

class AnswerReader {
  #state: State | null = null;

  constructor(
    private readonly id: string,
    private readonly verb: OperatorRequest["verb"],
  ) {}

  /** What becomes of the request, as far as these records tell; `isLast`: no others are there yet. */
  read(records: readonly JournalRecord[], isLast: boolean): string | null {
    for (const record of records) {
      const fate = record.decisions?.find((decision) => isFate(decision) && decision.id === this.id);
      if (fate !== undefined) return this.#describe(fate as Fate);
      this.#state = reduceRecord(this.#state, record).state;
    }
    return this.#state === null || !isLast ? null : this.#describeWaiting(this.#state);
  }

  #describe(fate: Fate): string {
    if (fate.type === "operator/applied") return `${this.verb}: in effect before update ${fate.update}`;
    throw new ExternalError({ code: "command_refused", message: `\`${this.verb}\` was refused: ${fate.why}` });
  }

  /** Whoever pauses a run may well be the one who waits here: it will not go on by itself. */
  #describeWaiting({ operator, attempt }: State): string | null {
    const waits = [...operator.requests, ...operator.unconfirmed].some(({ id }) => id === this.id);
    if (!waits || !operator.paused || attempt?.stage !== "waiting") return null;
    return `${this.verb}: accepted, takes effect once the paused run goes on (\`npx thawline control RUN continue\`)`;
  }
}

type Fate = Extract<Decision, { type: "operator/applied" | "operator/refused" }>;

function isFate(decision: Decision): decision is Fate {
  return decision.type === "operator/applied" || decision.type === "operator/refused";
}
