import type { RunConfig } from "../../config/attached.js";
import type { Contest } from "../../statistics/winning-rate.js";
import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import { armsOf, bySeed, describeAxes, K_AXIS, type Arm } from "./arms.js";
import { decidingScore } from "./compared-score.js";

/** The configuration of a run, where the reader knows it: from its journal, or from the plan. */
export type ConfigOf = (run: SweptRun) => RunConfig | null;

/** A condition whose k was chosen online, against one in which fixed k's were tried. */
export interface Match {
  readonly condition: string;
  readonly against: string;
  readonly rounds: readonly Round[];
}

/** Of one data set. */
export interface Round {
  readonly score: string;
  readonly chosen: Arm;
  readonly drawn: readonly Arm[];
}

/** Every match that these sweeps hold; sweeps of several data sets pool where their conditions have the same names. */
export function matchesOf(sweeps: readonly Sweep[], configOf: ConfigOf): Match[] {
  const matches = new Map<string, Match>();
  for (const sweep of sweeps) {
    const arms = armsOf(sweep);
    const score = decidingScore(sweep, arms);
    if (score === null) continue;
    for (const chosen of arms.filter(choseOnline)) {
      for (const [against, drawn] of drawnArms(chosen, arms, configOf)) {
        const key = JSON.stringify([chosen.condition, against]);
        const { rounds } = matches.get(key) ?? { rounds: [] };
        const round = { score, chosen, drawn };
        matches.set(key, { condition: chosen.condition, against, rounds: [...rounds, round] });
      }
    }
  }
  return [...matches.values()];
}

/** Without the runs whose k nothing chose: those of the cap, and those of an operator. */
export function contestOf({ score, chosen, drawn }: Round): Contest {
  const online = chosen.completed.filter(({ results }) => results.k?.source === "online");
  return {
    dataSet: nameOf(chosen),
    chosen: bySeed({ completed: online }, score),
    drawn: drawn.map((arm) => ({ k: Number(arm.axes[K_AXIS]), scores: bySeed(arm, score) })),
  };
}

/** Of what a round is: a sweep, at the values of its other axes. */
function nameOf({ sweep, axes }: Arm): string {
  return [sweep.name, describeAxes(axes)].filter((text) => text !== "").join(" ");
}

function choseOnline({ axes, completed }: Arm): boolean {
  if (Object.hasOwn(axes, K_AXIS)) return false;
  return completed.some(({ results: { k } }) => k?.source === "online" || k?.source === "cap");
}

/** Arms with tried k's that differ from this one in k alone, as far as that is known, by condition. */
function drawnArms(chosen: Arm, arms: readonly Arm[], configOf: ConfigOf): [condition: string, arms: Arm[]][] {
  const kind = kindOf(chosen, configOf);
  const fitting = arms.filter((arm) => {
    const { [K_AXIS]: k, ...others } = arm.axes;
    if (typeof k !== "number") return false;
    const other = kindOf(arm, configOf);
    return sameAxes(others, chosen.axes) && (kind === null || other === null || kind === other);
  });
  const conditions = [...new Set(fitting.map(({ condition }) => condition))];
  return conditions.map((condition) => [condition, fitting.filter((arm) => arm.condition === condition)]);
}

function sameAxes(ours: Arm["axes"], theirs: Arm["axes"]): boolean {
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...keys].every((key) => ours[key] === theirs[key]);
}

function kindOf({ planned }: Arm, configOf: ConfigOf): string | null {
  return planned.map(configOf).find((config) => config !== null)?.intervention.kind ?? null;
}
