import type { Body } from "../protocol/messages.js";
import type { Decision } from "./commands.js";
import { fromDecided } from "./decided.js";
import type { Attempt, RunEnd, SeriesPoint, State } from "./state.js";
import { stay, withDecisions, type Transition } from "./transition.js";

/*
 * A script writes checkpoints of its own, which the journal does not know. The script says from which one it goes on,
 * and shows that it belongs to this run, or brings along what a new run needs. Other than after a resume of the
 * built-in worker, whose weights are known to be the same, what came later is void and decided anew.
 */

type Refusal = Extract<RunEnd, { outcome: "failed" }>;
type Ready = Body<"ready">;

const CODE = "script_state";
const KEEP_STATE = "keep `run.state_dict()` in the script's checkpoint, and give it to `run.load_state_dict` on resume";

/** Why the script cannot go on from where it says it stands, or null. */
export function refuseResume(state: State, { resumed, resumed_from: step }: Ready): Refusal | null {
  if (step === 0 || goesOn(state, resumed, step)) return null;
  if (resumed === undefined) {
    return refusal(`the script resumed from step ${step} without the state of a run`, KEEP_STATE);
  }
  if (state.frontier === 0) return null;
  const message = `the script resumed from step ${step} of run \`${resumed.run}\`, which is not this run`;
  return refusal(message, "give it a checkpoint of this run, or start a new run with `npx thawline attach`");
}

/** Whether the script's checkpoint is of this run, or of the one that this run went on from. */
function goesOn({ run, adopted }: State, resumed: Ready["resumed"], step: number): boolean {
  if (resumed === undefined) return false;
  return resumed.run === run || (resumed.run === adopted?.run && step <= adopted.step);
}

/** The state in which the script goes on; call only where `refuseResume` has nothing to say. */
export function placeScript(state: State, attempt: Attempt, ready: Ready): Transition {
  const { resumed, resumed_from: step } = ready;
  const adopts = step > 0 && resumed !== undefined && !goesOn(state, resumed, step);
  return countProgress(adopts ? adopt(state, attempt, resumed, step) : rewind(state, step), step);
}

/** Why the mask that trained the script's weights is not the one of this run's schedule, or null. */
export function refuseMask(grant: Body<"grant">, { resumed, resumed_from: step }: Ready): Refusal | null {
  if (step === 0 || resumed === undefined) return null;
  const named = (names: readonly string[]): string => [...names].sort().join(", ");
  const [theirs, ours] = [named(resumed.trainable), named(grant.trainable)];
  const factors = [resumed.learning_rate_factor, grant.learning_rate_factor] as const;
  if (theirs === ours && factors[0] === factors[1]) return null;
  const difference =
    theirs === ours
      ? `learning rate times ${factors[0]}, but this run's schedule says ${factors[1]}`
      : `${theirs} trainable, but this run's schedule says ${ours}`;
  return refusal(
    `the script resumed from step ${step} with ${difference}`,
    `use the intervention of run \`${resumed.run}\``,
  );
}

function refusal(message: string, hint: string): Refusal {
  return { outcome: "failed", exitCode: 2, code: CODE, message, hint };
}

/** A script that resumes from a later step than ever has written a newer checkpoint. */
function countProgress(transition: Transition, step: number): Transition {
  const { state } = transition;
  if (step === 0 || step <= state.furthestCheckpoint) return transition;
  return { ...transition, state: { ...state, furthestCheckpoint: step, restarts: 0 } };
}

/** The run as it was after `step` updates. Voided values are kept aside, to be compared with what is measured again. */
export function rewind(state: State, step: number): Transition {
  const kept: Record<string, readonly SeriesPoint[]> = {};
  const voided = { ...state.voided };
  let points = 0;
  for (const [key, series] of Object.entries(state.series)) {
    const late = series.filter(({ update }) => update > step);
    kept[key] = series.filter(({ update }) => update <= step);
    voided[key] = [...(voided[key] ?? []).filter(({ update }) => !isAmong(late, update)), ...late];
    points = points > late.length ? points : late.length;
  }
  const { interval } = state;
  const voidsInterval = interval !== null && interval.decidedAt > step;
  const changes = state.operatorChanges.filter(({ update }) => update <= step);
  const numChanges = state.operatorChanges.length - changes.length;
  const lost = state.unconfirmed.filter(({ update }) => update > step);
  const rewound: State = {
    ...state,
    series: kept,
    voided,
    interval: voidsInterval ? null : interval,
    judgement: null,
    judgedUntil: state.judgedUntil < step ? state.judgedUntil : step,
    announced: state.announced !== null && state.announced.update > step ? null : state.announced,
    frontier: state.frontier < step + 1 ? state.frontier : step + 1,
    operatorChanges: changes,
    unconfirmed: state.unconfirmed.filter(({ update }) => update <= step),
    evaluations: state.evaluations.filter((evaluation) => evaluation.step <= step),
    evaluatedAt: state.evaluatedAt.filter((update) => update <= step + 1),
    losses: state.losses.filter((loss) => loss.step <= step),
  };
  const refused = lost.map(({ id }): Decision => {
    return { type: "operator/refused", id, why: `the script went back to step ${step}` };
  });
  if (points === 0 && !voidsInterval && numChanges === 0) return withDecisions(stay(rewound), ...refused);
  const k = voidsInterval ? interval.k : null;
  return withDecisions(stay(rewound), { type: "history/voided", step, points, k, changes: numChanges }, ...refused);
}

function isAmong(points: readonly SeriesPoint[], update: number): boolean {
  return points.some((point) => point.update === update);
}

/** A new run takes over what the script's checkpoint holds of the run that wrote it. */
function adopt(state: State, attempt: Attempt, resumed: NonNullable<Ready["resumed"]>, step: number): Transition {
  const series = Object.fromEntries(
    Object.entries(attempt.remembered).map(([key, points]) => [key, points.filter(({ update }) => update <= step)]),
  );
  const points = Object.values(series).reduce((most, { length }) => (most > length ? most : length), 0);
  const { run } = resumed;
  const taken = fromDecided(resumed.decided, step);
  const adopted: State = {
    ...state,
    ...taken,
    series,
    adopted: { run, step },
    judgedUntil: step,
    frontier: step + 1,
    attempt: { ...attempt, remembered: {} },
  };
  const k = taken.interval?.k ?? null;
  return withDecisions(stay(adopted), { type: "history/adopted", run, step, points, k });
}

/** Takes in a piece of a series that the script brings along. */
export function remember(attempt: Attempt, { key, points }: Body<"history">): Attempt {
  const more = points.map((point): SeriesPoint => {
    const { update, value, seconds } = point;
    const errors = {
      standardError: point.standard_error,
      changeError: point.change_standard_error,
      spanError: point.span_standard_error,
    };
    return { update, value, ...errors, seconds };
  });
  const series = [...(attempt.remembered[key] ?? []), ...more].sort((a, b) => a.update - b.update);
  return { ...attempt, remembered: { ...attempt.remembered, [key]: series } };
}
