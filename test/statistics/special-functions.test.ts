import { describe, expect, it } from "vitest";
import { erfc, logGamma, regularizedBeta } from "../../src/statistics/special-functions.js";
import { isClose, SCIPY } from "../vectors/statistics/scipy.js";

describe("special functions", () => {
  it.each(SCIPY.log_gamma)("log gamma of $x is SciPy's", ({ x, value }) => {
    expect(logGamma(x)).toSatisfy((ours: number) => isClose(ours, value) || Math.abs(ours - value) < 1e-14);
  });

  it.each(SCIPY.erfc)("erfc of $x is SciPy's, far out too", ({ x, value }) => {
    expect(erfc(x)).toSatisfy((ours: number) => isClose(ours, value) || Math.abs(ours / value - 1) < 1e-10);
  });

  it.each(SCIPY.beta)("I_x(a, b) at x $x, a $a, b $b is SciPy's", ({ x, a, b, value }) => {
    expect(regularizedBeta(x, a, b)).toSatisfy((ours: number) => isClose(ours, value));
  });
});
