/** What a sample looks like: n, mean and standard deviation (n - 1 in the denominator), null where n is too small. */
export interface Moments {
  readonly n: number;
  readonly mean: number | null;
  readonly standardDeviation: number | null;
}

/** Moments of finite values. */
export function momentsOf(values: readonly number[]): Moments {
  return { n: values.length, mean: meanOf(values), standardDeviation: standardDeviationOf(values) };
}

/** Null of no values. */
export function meanOf(values: readonly number[]): number | null {
  const [first] = values;
  if (first === undefined) return null;
  // Deviations from one of them, so that a constant sample has exactly that mean.
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}

/** Of a sample, with n - 1; null below two values. */
export function standardDeviationOf(values: readonly number[]): number | null {
  const mean = meanOf(values);
  if (mean === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
