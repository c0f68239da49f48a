import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What SciPy gives, as generate.py beside it has written it. */
interface Vectors {
  readonly log_gamma: readonly { readonly x: number; readonly value: number }[];
  readonly erfc: readonly { readonly x: number; readonly value: number }[];
  readonly beta: readonly { readonly x: number; readonly a: number; readonly b: number; readonly value: number }[];
  readonly normal_quantile: readonly { readonly p: number; readonly value: number }[];
  readonly student: readonly {
    readonly p: number;
    readonly degrees: number;
    readonly quantile: number;
    readonly tail: number;
  }[];
  readonly mean: readonly {
    readonly values: readonly number[];
    readonly level: number;
    readonly mean: number;
    readonly standard_deviation: number;
    readonly interval: readonly [number, number];
  }[];
  readonly paired: readonly {
    readonly ours: readonly number[];
    readonly theirs: readonly number[];
    readonly mean: number;
    readonly interval: readonly [number, number];
  }[];
  readonly interquartile_mean: readonly { readonly values: readonly number[]; readonly value: number }[];
  readonly wilson: readonly {
    readonly successes: number;
    readonly trials: number;
    readonly level: number;
    readonly interval: readonly [number, number];
  }[];
  readonly improvement: readonly {
    readonly ours: readonly number[];
    readonly theirs: readonly number[];
    readonly value: number;
  }[];
  readonly kendall: readonly {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly exact: boolean;
    readonly tau: number | null;
    readonly p: number | null;
  }[];
  readonly percentile: readonly { readonly values: readonly number[]; readonly share: number; readonly value: number }[];
  readonly bootstrap: readonly { readonly values: readonly number[]; readonly interval: readonly [number, number] }[];
}

export const SCIPY = JSON.parse(readFileSync(join(import.meta.dirname, "scipy.json"), "utf8")) as Vectors;

/** Whether two numbers differ in their last digits only: by a share of `relative`, or by next to nothing. */
export function isClose(value: number, expected: number, relative = 1e-10): boolean {
  return Math.abs(value - expected) <= relative * Math.abs(expected) + 1e-15;
}
