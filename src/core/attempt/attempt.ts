import type { Body } from "../../protocol/messages.js";
import type { Checkpoint, MetricSeries, RunEnd } from "../state.js";

/*
 * One process life of a run's worker, by the stage that it has reached. Each stage holds only what there can be in it.
 * An attempt that was ended keeps its stage until its process is gone, but nothing that its worker says is heard.
 */

/** How a run ends whose worker no restart can help. */
export type Refusal = Extract<RunEnd, { outcome: "failed" }>;

/** What every attempt has, whatever its stage. */
interface AttemptLife {
  readonly number: number;
  readonly resumeFrom: Checkpoint | null;
  /** Null until its launch is noted: a quick worker may say hello before its launcher returns. */
  readonly process: { readonly pid: number; readonly startTime: string } | null;
  /** Why the controller ended it, and how the run ends with it where no restart can help; null while it goes on. */
  readonly ended: { readonly why: string; readonly refusal: Refusal | null } | null;
}

/** Where a worker that has begun stands, or stood last. Kept from boundary to boundary. */
export interface Standing {
  /** The boundary. */
  readonly update: number;
  /** Mask and factor of the last grant, to know what the next one changes. */
  readonly held: { readonly trainable: readonly string[]; readonly factor: number };
  /** The last boundary that this attempt has measured, or 0; a recall can leave one unmeasured. */
  readonly measuredAt: number;
  /** Whether the worker has put the best weights in the place of the last ones. */
  readonly restored: boolean;
}

export interface Launching extends AttemptLife {
  readonly stage: "launching";
}

export interface Connecting extends AttemptLife {
  readonly stage: "connecting";
}

/** The worker was welcomed, and loads model and data. */
export interface Preparing extends AttemptLife {
  readonly stage: "preparing";
  /** What a script says it has measured in another run. */
  readonly remembered: MetricSeries;
}

/** The worker stands at a boundary without a grant. */
export interface AtBoundary extends AttemptLife, Standing {
  readonly stage: "waiting";
}

export interface Training extends AttemptLife, Standing {
  readonly stage: "training";
  readonly grant: Body<"grant">;
  /** What the grant before it had the worker hold, which it goes on holding where a recall came first; null without one. */
  readonly heldBefore: Standing["held"] | null;
  readonly recalled: boolean;
  /** Whether the worker has said what it did with its grant. */
  readonly applied: boolean;
}

/** The worker was told to stop at its boundary. */
export interface Stopping extends AttemptLife, Standing {
  readonly stage: "stopping";
}

/** The worker has said its last word, or is gone without one. */
export interface Closed extends AttemptLife {
  readonly stage: "closed";
  readonly closed: Body<"closed"> | null;
  /** Null where it never began. */
  readonly stood: Standing | null;
}

export type Attempt = Launching | Connecting | Preparing | AtBoundary | Training | Stopping | Closed;
export type AttemptStage = Attempt["stage"];

/** Where the attempt's worker stands, or stood last; null before it began. */
export function standingOf(attempt: Attempt | null): Standing | null {
  switch (attempt?.stage) {
    case undefined:
    case "launching":
    case "connecting":
    case "preparing":
      return null;
    case "waiting":
    case "training":
    case "stopping":
      return attempt;
    case "closed":
      return attempt.stood;
  }
}

/** The worker's last word, or null. */
export function lastWordOf(attempt: Attempt): Body<"closed"> | null {
  return attempt.stage === "closed" ? attempt.closed : null;
}

/** The attempt as it is welcomed. */
export function preparing(attempt: Attempt): Preparing {
  return { ...lifeOf(attempt), stage: "preparing", remembered: {} };
}

/** The attempt with a grant to train from where it stands. */
export function training(attempt: Attempt, standing: Standing, grant: Body<"grant">): Training {
  const { number, resumeFrom, process, ended } = attempt;
  const heldBefore = standingOf(attempt)?.held ?? null;
  const { update, held, measuredAt, restored } = standing;
  // One literal: to spread an object with so many keys is slow, and this is done at every boundary.
  return {
    number,
    resumeFrom,
    process,
    ended,
    update,
    held,
    measuredAt,
    restored,
    stage: "training",
    grant,
    heldBefore,
    recalled: false,
    applied: false,
  };
}

/** The attempt whose worker has said what it did with its grant. */
export function applied(attempt: Training, restored: boolean): Training {
  const { number, resumeFrom, process, ended, update, held, measuredAt, grant, heldBefore, recalled } = attempt;
  return {
    number,
    resumeFrom,
    process,
    ended,
    update,
    held,
    measuredAt,
    restored,
    stage: "training",
    grant,
    heldBefore,
    recalled,
    applied: true,
  };
}

/** The attempt at the end of its grant, or where a recall came before the worker had obeyed it. */
export function atBoundary(
  attempt: Training,
  arrived: Pick<Standing, "update" | "measuredAt"> & { readonly recalled: boolean },
): AtBoundary {
  const { number, resumeFrom, process, ended, restored } = attempt;
  const { update, measuredAt, recalled } = arrived;
  const held = recalled && !attempt.applied ? (attempt.heldBefore ?? attempt.held) : attempt.held;
  return { number, resumeFrom, process, ended, update, held, measuredAt, restored, stage: "waiting" };
}

export function stopping(attempt: AtBoundary): Stopping {
  return { ...lifeOf(attempt), ...copyOf(attempt), stage: "stopping" };
}

/** The attempt after its worker's last word, or without one once its process is gone. */
export function closed(attempt: Attempt, word: Body<"closed"> | null): Closed {
  const standing = standingOf(attempt);
  const stood = standing === null ? null : copyOf(standing);
  return { ...lifeOf(attempt), stage: "closed", closed: word, stood };
}

function lifeOf({ number, resumeFrom, process, ended }: Attempt): AttemptLife {
  return { number, resumeFrom, process, ended };
}

function copyOf({ update, held, measuredAt, restored }: Standing): Standing {
  return { update, held, measuredAt, restored };
}
