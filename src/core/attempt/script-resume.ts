import type { Body } from "../../protocol/messages.js";
import type { Decision } from "../commands.js";
import type { Preparing, Refusal } from "./attempt.js";
import { fromDecided, type Decided } from "./script-decisions.js";
import { measuredBy } from "../measured.js";
import { pointSeries, pointsUntil, withPoint, type PointSeries } from "../point-series.js";
import type { SeriesPoint, State } from "../state.js";
import { withParts, withProgress, withSignal } from "../parts.js";
import { stay, withDecisions, type Transition } from "../transition.js";

/*
 * A script writes checkpoints of its own, which the journal does not know. The script says from which one it goes on,
 * and shows that it belongs to this run, or brings along what a new run needs. Other than after a resume of the
 * built-in worker, whose weights are known to be the same, what came later is void and decided anew.
 */

type Ready = Body<"ready">;

const CODE = "script_state";
const KEEP_STATE = "keep `run.state_dict()` in the script's checkpoint, and give it to `run.load_state_dict` on resume";

/** Why the script cannot go on from where it says it stands, or null. */
export function refuseResume(state: State, { resumed, resumed_from: step }: Ready): Refusal | null {
  if (step === 0 || goesOn(state, resumed, step)) return null;
  if (resumed === undefined) {
    return refusal(`the script resumed from step ${step} without the state of a run`, KEEP_STATE);
  }
  if (state.progress.frontier === 0) return null;
  const message = `the script resumed from step ${step} of run \`${resumed.run}\`, which is not this run`;
  return refusal(message, "give it a checkpoint of this run, or start a new run with `npx thawline attach`");
}

/** Whether the script's checkpoint is of this run, or of the one that this run went on from. */
function goesOn({ run, adopted }: State, resumed: Ready["resumed"], step: number): boolean {
  if (resumed === undefined) return false;
  return resumed.run === run || (resumed.run === adopted?.run && step <= adopted.step);
}

/** The state in which the script goes on; call only where `refuseResume` has nothing to say. */
export function placeScript(state: State, attempt: Preparing, ready: Ready): Transition {
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
  const ramps = [describeWarmup(resumed.warming_up), describeWarmup(grant.warming_up)] as const;
  const differences = [
    ...(theirs === ours ? [] : [`${theirs} trainable, but this run's schedule says ${ours}`]),
    ...(factors[0] === factors[1]
      ? []
      : [`learning rate times ${factors[0]}, but this run's schedule says ${factors[1]}`]),
    ...(ramps[0] === ramps[1] ? [] : [`${ramps[0]}, but this run's schedule says ${ramps[1]}`]),
  ];
  if (differences.length === 0) return null;
  return refusal(
    `the script resumed from step ${step} with ${differences[0]}`,
    `use the intervention of run \`${resumed.run}\``,
  );
}

function describeWarmup(warmingUp: Body<"grant">["warming_up"]): string {
  const ramps = (warmingUp ?? []).flatMap(({ blocks, since, num_updates: numUpdates }) =>
    [...blocks].sort().map((block) => `${block} warming up over ${numUpdates} updates from ${since} on`),
  );
  return ramps.length === 0 ? "no block warming up" : ramps.join(", ");
}

function refusal(message: string, hint: string): Refusal {
  return { outcome: "failed", exitCode: 2, code: CODE, message, hint };
}

/** A script that resumes from a later step than ever has written a newer checkpoint. */
function countProgress(transition: Transition, step: number): Transition {
  const { state } = transition;
  if (step === 0 || step <= state.weights.furthestCheckpoint) return transition;
  return {
    ...transition,
    state: withParts(state, {
      weights: { ...state.weights, furthestCheckpoint: step },
      attempts: { ...state.attempts, restarts: 0 },
    }),
  };
}

/** The run as it was after `step` updates. Voided values are kept aside, to be compared with what is measured again. */
export function rewind(state: State, step: number): Transition {
  const kept: Record<string, PointSeries> = {};
  const voided = { ...state.signal.voided };
  let points = 0;
  for (const [key, series] of Object.entries(state.signal.series)) {
    const known = pointsUntil(series, step);
    const late = series.slice(known.length);
    kept[key] = known;
    voided[key] = withVoided(voided[key], late);
    points = Math.max(points, late.length);
  }
  const { interval } = state;
  const voidsInterval = interval !== null && interval.decidedAt > step;
  const changes = state.operator.changes.filter(({ update }) => update <= step);
  const numChanges = state.operator.changes.length - changes.length;
  const lost = state.operator.unconfirmed.filter(({ update }) => update > step);
  const rewound: State = withParts(state, {
    signal: withSignal(state.signal, {
      series: kept,
      voided,
      judgement: null,
      prefix: null,
      judgedUntil: Math.min(state.signal.judgedUntil, step),
      grid: rewindGrid(state, step),
    }),
    interval: voidsInterval ? null : interval,
    announced: state.announced !== null && state.announced.update > step ? null : state.announced,
    progress: withProgress(state.progress, {
      frontier: Math.min(state.progress.frontier, step + 1),
      loss: lossUntil(state, step),
      moved: null,
    }),
    operator: {
      ...state.operator,
      changes,
      unconfirmed: state.operator.unconfirmed.filter(({ update }) => update <= step),
    },
    scores: {
      ...state.scores,
      evaluations: state.scores.evaluations.where((evaluation) => evaluation.step <= step),
      evaluatedAt: state.scores.evaluatedAt.where((update) => update <= step + 1),
    },
  });
  const refused = lost.map(({ id }): Decision => {
    return { type: "operator/refused", id, why: `the script went back to step ${step}` };
  });
  if (points === 0 && !voidsInterval && numChanges === 0) return withDecisions(stay(rewound), ...refused);
  const k = voidsInterval ? interval.k : null;
  return withDecisions(stay(rewound), { type: "history/voided", step, points, k, changes: numChanges }, ...refused);
}

/** What the budget chose was chosen by seconds, which are as they were; only it holds from an earlier boundary on. */
function rewindGrid({ signal: { grid } }: State, step: number): State["signal"]["grid"] {
  return grid === null ? null : { ...grid, from: Math.min(grid.from, step) };
}

/** What is void by now: of a boundary that was measured and voided more than once, the latest value. */
function withVoided(before: PointSeries | undefined, late: readonly SeriesPoint[]): PointSeries {
  if (before === undefined || late.length === 0) return before ?? pointSeries(late);
  const again = new Set(late.map(({ update }) => update));
  return before.where(({ update }) => !again.has(update)).appendAll(late);
}

/** Of the losses only the last is known: one that a script has gone back before leaves none. */
function lossUntil({ progress: { loss } }: State, step: number): State["progress"]["loss"] {
  return loss !== null && loss.step <= step ? loss : null;
}

/** A new run takes over what the script's checkpoint holds of the run that wrote it. */
function adopt(state: State, attempt: Preparing, resumed: NonNullable<Ready["resumed"]>, step: number): Transition {
  const series = Object.fromEntries(
    Object.entries(attempt.remembered).map(([key, points]) => [key, pointsUntil(points, step)]),
  );
  const points = Math.max(0, ...Object.values(series).map(({ length }) => length));
  const { run } = resumed;
  const { interval, operatorChanges } = fromDecided(resumed.decided, step);
  const adopted: State = withParts(state, {
    interval,
    operator: { ...state.operator, changes: operatorChanges },
    signal: withSignal(state.signal, { series, judgedUntil: step, grid: adoptedGrid(state, resumed.decided, step) }),
    adopted: { run, step },
    progress: withProgress(state.progress, { frontier: step + 1 }),
  });
  const k = interval?.k ?? null;
  return withDecisions(stay(adopted), { type: "history/adopted", run, step, points, k });
}

/** The points that come along are on the grid of their run, so a run with a budget goes on with it, if it has it. */
function adoptedGrid(
  { config, signal }: State,
  { probe_every: every }: Decided,
  step: number,
): State["signal"]["grid"] {
  const probe = measuredBy(config);
  if (every === undefined || probe?.budget == null || every % probe.every !== 0) return signal.grid;
  return { every, from: step, choice: null };
}

/** Takes in a piece of a series that the script brings along. */
export function remember(attempt: Preparing, { key, points }: Body<"history">): Preparing {
  const more = points.map((point): SeriesPoint => {
    const { update, value, seconds } = point;
    const errors = {
      standardError: point.standard_error,
      changeError: point.change_standard_error,
      spanError: point.span_standard_error,
    };
    return { update, value, ...errors, seconds };
  });
  const series = more.reduce(withPoint, attempt.remembered[key] ?? pointSeries([]));
  return { ...attempt, remembered: { ...attempt.remembered, [key]: series } };
}
