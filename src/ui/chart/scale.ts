/** Maps values to a share of a chart's height (0 bottom, 1 top), and a share back to a value for its label. */
export interface Scale {
  readonly name: "linear" | "log" | "symlog";
  readonly low: number;
  readonly high: number;
  readonly shareOf: (value: number) => number;
  readonly valueAt: (share: number) => number;
}

/** Decades that a symmetric logarithm shows on each side of zero; what is smaller is drawn linearly. */
const SYMLOG_DECADES = 3;

/**
 * A scale over finite values. Logarithmic means symmetric-logarithmic where a value is zero or negative, because
 * sharpness can be negative and no point may be dropped.
 */
export function createScale(values: readonly number[], logarithmic: boolean): Scale {
  const low = values.length === 0 ? 0 : values.reduce((a, b) => (b < a ? b : a));
  const high = values.length === 0 ? 1 : values.reduce((a, b) => (b > a ? b : a));
  if (!logarithmic) return transformed("linear", low, high, identity, identity);
  if (low > 0) return transformed("log", low, high, Math.log10, (exponent) => 10 ** exponent);
  const threshold = Math.max(Math.abs(low), Math.abs(high)) / 10 ** SYMLOG_DECADES || Number.MIN_VALUE;
  const forward = (value: number): number => Math.sign(value) * Math.log10(1 + Math.abs(value) / threshold);
  const backward = (value: number): number => Math.sign(value) * (10 ** Math.abs(value) - 1) * threshold;
  return transformed("symlog", low, high, forward, backward);
}

function identity(value: number): number {
  return value;
}

type Transform = (value: number) => number;

function transformed(name: Scale["name"], low: number, high: number, forward: Transform, backward: Transform): Scale {
  // Halved, because the difference of two finite numbers may be infinite.
  const [bottom, top] = [forward(low) / 2, forward(high) / 2];
  const span = top - bottom;
  return {
    name,
    low,
    high,
    shareOf: (value) => (span > 0 ? Math.min(1, Math.max(0, (forward(value) / 2 - bottom) / span)) : 0.5),
    valueAt: (share) => (share === 0 ? low : share === 1 ? high : backward(2 * (bottom + share * span))),
  };
}

/** Round numbers inside [low, high], about `count` of them. */
export function roundTicks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span) || count < 1) return [];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
}
