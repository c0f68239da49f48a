/**
 * What the distributions are made of, to about 13 digits: continued fractions by Lentz's method as modified by Thompson
 * and Barnett (Numerical Recipes, sections 5.2, 6.2 and 6.4), the gamma function by Lanczos's series (g = 7).
 */

const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
const SMALLEST = 1e-300;
const PRECISION = 1e-16;
const MOST_TERMS = 10_000;

/** The logarithm of the gamma function of a positive number. */
export function logGamma(x: number): number {
  // Reflection: the series is for arguments from 1/2 on.
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const series = LANCZOS.reduce((sum, c, index) => sum + (index === 0 ? c : c / (shifted + index)), 0);
  const t = shifted + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(series);
}

/** The regularized incomplete beta function I_x(a, b). */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const scale = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The fraction converges fast on this side only.
  if (x > (a + 1) / (a + b + 2)) return 1 - (scale * betaFraction(1 - x, b, a)) / b;
  return (scale * betaFraction(x, a, b)) / a;
}

function betaFraction(x: number, a: number, b: number): number {
  return continuedFraction((term) => {
    const m = Math.floor(term / 2);
    if (term === 0) return { numerator: 1, denominator: 1 };
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    return { numerator: term % 2 === 0 ? even : odd, denominator: 1 };
  });
}

/** The complementary error function. */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2) return 1 - erfSeries(x);
  if (x > 27) return 0;
  const fraction = continuedFraction((term) => ({ numerator: term === 0 ? 1 : term / 2, denominator: x }));
  return (Math.exp(-x * x) / Math.sqrt(Math.PI)) * fraction;
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > PRECISION * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** a0 / (b0 + a1 / (b1 + ...)), the terms being numerator a and denominator b. */
function continuedFraction(
  term: (index: number) => { readonly numerator: number; readonly denominator: number },
): number {
  let value = SMALLEST;
  let c = SMALLEST;
  let d = 0;
  for (let index = 0; index < MOST_TERMS; index++) {
    const { numerator, denominator } = term(index);
    d = nonZero(denominator + numerator * d);
    c = nonZero(denominator + numerator / c);
    d = 1 / d;
    const factor = c * d;
    value *= factor;
    if (index > 0 && Math.abs(factor - 1) < PRECISION * 10) break;
  }
  return value;
}

function nonZero(value: number): number {
  return Math.abs(value) < SMALLEST ? SMALLEST : value;
}
