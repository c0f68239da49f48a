import type { Intervention, InterventionKind as KindName } from "../../config/schema.js";
import type { RequestVerb } from "../events.js";
import type { Interval, Model, OperatorChange } from "../state.js";
import type { Schedule } from "./schedule.js";

export type { KindName };
/** The intervention of a run, as configured. */
export type InterventionOf<K extends KindName> = Extract<Intervention, { readonly kind: K }>;

export interface ScheduleInput<K extends KindName = KindName> {
  readonly intervention: InterventionOf<K>;
  readonly model: Model;
  readonly interval: Interval | null;
  readonly operatorChanges: readonly OperatorChange[];
  /** The run's seed, for a random order. */
  readonly seed: number;
}

/** What one kind of intervention means. A file each; `KINDS` has a row for each. */
export interface InterventionKind<K extends KindName = KindName> {
  /** Everything that it changes, as far as k is known. */
  readonly schedule: (input: ScheduleInput<K>) => Schedule;
  /** The largest k that the online rule may decide by default, for a run of `numUpdates` updates from the start on. */
  readonly latestInterval: (intervention: InterventionOf<K>, numUpdates: number, model: Model) => number;
  /** Why an operator's request has no meaning in it, or null. */
  readonly refusal: (verb: RequestVerb) => string | null;
}

/** Where one change is all there is, it comes in the first quarter of the run: the early period. */
const EARLY_SHARE = 4;

export function earlyShare(numUpdates: number): number {
  return Math.floor(numUpdates / EARLY_SHARE);
}

export function refuseUnfreezing(verb: RequestVerb): string | null {
  return verb === "unfreeze" ? "this run freezes nothing" : null;
}
