import type { DetectorView } from "../reading/detector-view.js";
import type { PlateauView } from "../reading/plateau-view.js";
import { formatNumber } from "./format.js";

/** A condition of the rule that decides k, in words. */
export interface Condition {
  readonly name: string;
  readonly met: boolean;
  /** Long enough to explain itself, and a short form for one row. */
  readonly long: string;
  readonly short: string;
}

/** The rule's conditions in words; the detector fires when all of them are met at one boundary. */
export function conditionsOf(view: DetectorView | PlateauView): Condition[] {
  return "plateau" in view ? ofPlateau(view) : ofStabilization(view);
}

const shown = (value: number | null): string => (value === null ? "unknown" : formatNumber(value, 2));

function ofPlateau({ enough, improved, plateau, tau, epsilon }: PlateauView): Condition[] {
  const count = `${enough.count} of ${enough.needed}`;
  return [
    { name: "points", met: enough.met, long: count, short: enough.met ? "" : ` ${count}` },
    {
      name: "improved",
      met: improved.met,
      long: `${shown(improved.value)} of its range, needs over ${epsilon}`,
      short: improved.met ? "" : ` ${shown(improved.value)}`,
    },
    {
      name: "plateau",
      met: plateau.met,
      long: `latest ${tau}: better by ${shown(plateau.gain)}, needs ${epsilon} or within error`,
      short: ` ${shown(plateau.gain)}`,
    },
  ];
}

function ofStabilization({ moved, transient, calm, noise, epsilon }: DetectorView): Condition[] {
  const against = (calm.change ?? Infinity) <= epsilon ? "<=" : ">";
  return [
    {
      name: "moved",
      met: moved.met,
      long: `range ${shown(moved.value)} of its size, needs ${moved.least}`,
      short: moved.met ? "" : ` ${shown(moved.value)} < ${moved.least}`,
    },
    {
      name: "transient",
      met: transient.met,
      long: `steepest ${shown(transient.value)}, needs over ${shown(transient.least)}`,
      short: transient.met ? "" : ` ${shown(transient.value)} <= ${shown(transient.least)}`,
    },
    {
      name: "calm",
      met: calm.met,
      long: `${Math.min(calm.count, calm.needed)} of ${calm.needed}, change ${shown(calm.change)} ${against} ${epsilon}`,
      short: ` ${Math.min(calm.count, calm.needed)}/${calm.needed} (${shown(calm.change)} ${against} ${epsilon})`,
    },
    {
      name: "noise",
      met: noise.met,
      long: `${shown(noise.value)}, needs below ${noise.below}`,
      short: ` ${shown(noise.value)}`,
    },
  ];
}
