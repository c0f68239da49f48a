import type { ReactElement } from "react";
import { selectDetector, type DetectorView } from "../../reading/detector-view.js";
import { selectPlateau, type PlateauView } from "../../reading/plateau-view.js";
import { selectSignal } from "../../reading/selectors.js";
import { detectorRule } from "../../core/measured.js";
import type { State } from "../../core/state.js";
import { formatNumber } from "../../words/format.js";
import { describeSource, signalName } from "../../words/names.js";
import type { Segment } from "../../words/role.js";
import { Line, Rows, say, Title, useTheme } from "./line.js";

interface Condition {
  readonly name: string;
  readonly met: boolean;
  /** Long enough to explain itself, and a short form for one row. */
  readonly long: string;
  readonly short: string;
}

/** The rule's conditions in words; the detector fires when all of them are met at one boundary. */
function conditionsOf(view: DetectorView | PlateauView): Condition[] {
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

interface DetectorProps {
  readonly state: State;
  readonly rows: number;
  readonly columns: number;
}

/** Why the controller waits: every condition of the rule, ticked or not. */
export function DetectorPanel({ state, rows, columns }: DetectorProps): ReactElement {
  const { glyphs } = useTheme();
  const { signal, tau, epsilon } = detectorRule(state.config);
  const detector = selectPlateau(state) ?? selectDetector(state);
  const conditions = detector === null ? [] : conditionsOf(detector);
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`detector of ${signalName(signal)}`}
          note={`tau ${tau}, epsilon ${epsilon}`}
          columns={columns}
        />,
        <Line key="phase" segments={describePhase(state, detector)} />,
        ...conditions.map(({ name, met, long }) => (
          <Line
            key={name}
            segments={[
              say(` ${met ? glyphs.met : glyphs.unmet} `, met ? "good" : "waiting"),
              say(name.padEnd(11)),
              say(long, "dim"),
            ]}
          />
        )),
        <Line key="next" segments={[say(describeNext(state), "dim")]} />,
      ]}
    </Rows>
  );
}

function describePhase(state: State, detector: DetectorView | PlateauView | null): Segment[] {
  const { interval } = state;
  if (interval !== null) {
    const offline = interval.kOffline === null ? "" : `, offline ${interval.kOffline}`;
    return [say(`k = ${interval.k}`, "mark"), say(` ${describeSource(interval.source)}${offline}`)];
  }
  if (state.config.intervention.kind === "none") return [say("no intervention, nothing to detect")];
  if (detector === null) return [say("waiting for the first point")];
  return [say(detector.phase, detector.allMet ? "good" : "waiting"), say(` after ${detector.points} points`)];
}

function describeNext(state: State): string {
  const { nextPoint, latest } = selectSignal(state);
  const parts = nextPoint === null ? [] : [`next point before update ${nextPoint}`];
  if (latest !== null && state.interval === null) parts.push(`k_max ${latest.k}`);
  return parts.join(", ");
}

/** The same in two rows. */
export function DetectorLines({ state }: { readonly state: State }): ReactElement {
  const { glyphs } = useTheme();
  const detector = selectPlateau(state) ?? selectDetector(state);
  const conditions = detector === null ? [] : conditionsOf(detector);
  const ticks = conditions.flatMap(({ name, met, short }, index) => [
    say(index === 0 ? "" : "   "),
    say(`${met ? glyphs.met : glyphs.unmet} `, met ? "good" : "waiting"),
    say(name),
    say(short, "dim"),
  ]);
  const next = describeNext(state);
  return (
    <Rows height={2}>
      {[
        <Line
          key="phase"
          segments={[
            say("detector  ", "title"),
            ...describePhase(state, detector),
            say(next === "" ? "" : `; ${next}`, "dim"),
          ]}
        />,
        <Line key="conditions" segments={[say("          "), ...ticks]} />,
      ]}
    </Rows>
  );
}
