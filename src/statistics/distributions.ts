import { erfc, regularizedBeta } from "./special-functions.js";

/** P(Z > z) for a standard normal Z. */
export function normalTail(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** The z that a standard normal stays below with probability p, 0 < p < 1. */
export function normalQuantile(p: number): number {
  return upperQuantile(normalTail, p);
}

/** P(T > t) for Student's t with so many degrees of freedom, not necessarily whole. */
export function studentTail(t: number, degrees: number): number {
  if (t < 0) return 1 - studentTail(-t, degrees);
  // The small one of x and 1 - x keeps its digits.
  const square = t * t;
  if (square < degrees) return 0.5 - regularizedBeta(square / (degrees + square), 0.5, degrees / 2) / 2;
  return regularizedBeta(degrees / (degrees + square), degrees / 2, 0.5) / 2;
}

/** The t that Student's t stays below with probability p, 0 < p < 1. */
export function studentQuantile(p: number, degrees: number): number {
  return upperQuantile((t) => studentTail(t, degrees), p);
}

/** Inverts the falling tail of a symmetric distribution, to the last bits, by halving. */
function upperQuantile(tail: (x: number) => number, p: number): number {
  if (p < 0.5) return -upperQuantile(tail, 1 - p);
  let [lower, upper] = [0, 1];
  while (tail(upper) > 1 - p) [lower, upper] = [upper, upper * 2];
  for (let middle = (lower + upper) / 2; middle > lower && middle < upper; middle = (lower + upper) / 2) {
    if (tail(middle) > 1 - p) lower = middle;
    else upper = middle;
  }
  return (lower + upper) / 2;
}
