import type { Intervention } from "../../config/schema.js";
import { gradualUnfreezing } from "./gradual-unfreezing.js";
import { headThenFull } from "./head-then-full.js";
import type { InterventionKind, KindName, ScheduleInput } from "./kind.js";
import { learningRateSwitch } from "./learning-rate-switch.js";
import { noIntervention } from "./no-intervention.js";
import type { Schedule } from "./schedule.js";

const KINDS: { readonly [K in KindName]: InterventionKind<K> } = {
  gradual_unfreezing: gradualUnfreezing,
  head_then_full: headThenFull,
  learning_rate_switch: learningRateSwitch,
  none: noIntervention,
};

/** The meaning of a configured intervention. */
export function kindOf({ kind }: Intervention): InterventionKind {
  // A row is looked up by the kind of what it is given, which TypeScript cannot follow.
  return KINDS[kind] as InterventionKind;
}

/** The schedule as far as it is decided. Derived, never stored: recovery derives it again and gets the same. */
export function deriveSchedule(input: ScheduleInput): Schedule {
  return kindOf(input.intervention).schedule(input);
}
