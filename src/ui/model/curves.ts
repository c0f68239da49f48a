import { isFinite } from "../../core/detector/signal.js";
import { measuredRule } from "../../core/measured.js";
import { pointSeries, type PointSeries } from "../../core/point-series.js";
import type { SeriesPoint, State } from "../../core/state.js";
import { selectSignalPoints } from "../../reading/selectors.js";
import { cutCurve, EMPTY_CURVE, extendCurve, type Curve } from "../chart/curve.js";

/** What the charts of a run draw, kept from record to record, so that a frame does not go through all of the run. */
export interface Curves {
  readonly signal: SignalCurve;
  readonly loss: Curve;
}

/** The signal that is shown, and its trailing moving average over tau finite points, which the detector looks at. */
export interface SignalCurve {
  readonly drawn: PointSeries;
  readonly measured: Curve;
  readonly average: Curve;
  /** The latest finite values, tau of them at most. */
  readonly within: readonly number[];
}

const NO_SIGNAL: SignalCurve = {
  drawn: pointSeries([]),
  measured: EMPTY_CURVE,
  average: EMPTY_CURVE,
  within: [],
};

export const NO_CURVES: Curves = { signal: NO_SIGNAL, loss: EMPTY_CURVE };

/** The curves after a record, `before` and `state` being the run before and after it. */
export function followCurves(curves: Curves, before: State | null, state: State): Curves {
  const signal = before?.signal.series === state.signal.series ? curves.signal : followSignal(curves.signal, state);
  const loss = (before?.progress.loss ?? null) === state.progress.loss ? curves.loss : followLoss(curves.loss, state);
  return signal === curves.signal && loss === curves.loss ? curves : { signal, loss };
}

/** Drawn anew only where the series is another one: a point came late, or a script went back. */
function followSignal(curve: SignalCurve, state: State): SignalCurve {
  const points = selectSignalPoints(state);
  const { tau } = measuredRule(state.config);
  let longer = points.continues(curve.drawn) ? curve : NO_SIGNAL;
  for (let place = longer.drawn.length; place < points.length; place += 1) {
    longer = extendSignal(longer, points, points.at(place)!, tau);
  }
  return longer.drawn === points ? longer : { ...longer, drawn: points };
}

/** With `drawn` as what is drawn: one literal and no spread, since this is done at every boundary. */
function extendSignal(curve: SignalCurve, drawn: PointSeries, { update, value }: SeriesPoint, tau: number) {
  const { average } = curve;
  if (!isFinite(value)) {
    return { drawn, measured: extendCurve(curve.measured, update, NaN), average, within: curve.within };
  }
  const within = [...curve.within, value].slice(-tau);
  const measured = extendCurve(curve.measured, update, value);
  if (within.length < tau) return { drawn, measured, average, within };
  // Divided first: the sum of large values may overflow.
  const mean = within.reduce((sum, one) => sum + one / tau, 0);
  return { drawn, measured, average: extendCurve(average, update, mean), within };
}

/** Without a loss where there was one, a script has gone back: what came after the furthest boundary is void. */
function followLoss(curve: Curve, { progress: { loss, frontier } }: State): Curve {
  if (loss === null) return cutCurve(curve, frontier - 1);
  return extendCurve(curve, loss.step, isFinite(loss.loss) ? loss.loss : NaN);
}
