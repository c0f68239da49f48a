import type { ReactElement } from "react";
import { selectDetector, type DetectorView } from "../../reading/detector-view.js";
import { selectPlateau, type PlateauView } from "../../reading/plateau-view.js";
import { selectSignal } from "../../reading/selectors.js";
import { detectorRule } from "../../core/measured.js";
import type { State } from "../../core/state.js";
import { conditionsOf } from "../../words/conditions.js";
import { describeSource, signalName } from "../../words/names.js";
import type { Segment } from "../../words/role.js";
import { Line, Rows, say, Title, useTheme } from "./line.js";

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
