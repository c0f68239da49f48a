/** Scales, ticks and numbers of the figures on a page; see chart.js. */

const DASHES = ["", "7 3", "2 2", "8 3 2 3", "12 3", "4 2 1 2 1 2", "5 5"];
const NUM_COLORS = 7;

/** Okabe and Ito's colours are the classes c0 to c6; after a round of them styles and shapes are others. */
export function styleOf(index) {
  const round = Math.floor(index / NUM_COLORS);
  return { color: `c${index % NUM_COLORS}`, dash: DASHES[(index + round) % DASHES.length], shape: (index + round) % 6 };
}

export function escapeText(text) {
  const named = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (character) => named[character]);
}

/** Four significant digits, or a percentage with two decimals. */
export function formatValue(value, format) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "not finite";
  if (format === "share") return `${(100 * value).toFixed(2)} %`;
  if (format === "points") return `${value > 0 ? "+" : ""}${(100 * value).toFixed(2)} points`;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(3).replace("e+", "e");
  return String(Number(value.toPrecision(Number.isInteger(value) ? 7 : 4)));
}

/** An estimate, on the wide side: the page is drawn in the reader's own font. */
export function widthOf(text) {
  return 6.3 * String(text).length;
}

function linearTicks(low, high, count) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = [];
  for (let index = first; index * step <= high + 1e-9 * span; index += 1)
    ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high) {
  const decades = Math.log10(high) - Math.log10(low);
  const factors = decades > 4 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 3, 5, 7];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(3));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : [low, high];
}

export function tickText(value, format) {
  if (format === "share") return `${Number((100 * value).toPrecision(4))} %`;
  if (format === "points") return String(Number((100 * value).toPrecision(4)));
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
  return String(Number(value.toPrecision(6)));
}

/** From values to pixels and back. */
export function scaleOf(values, isLog, start, end, pad) {
  const shown = values.filter((value) => Number.isFinite(value) && (!isLog || value > 0));
  let low = shown.reduce((a, b) => Math.min(a, b), Infinity);
  let high = shown.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = isLog ? [1, 10] : [0, 1];
  if (low === high)
    [low, high] = isLog
      ? [low / 2, high * 2]
      : [low - Math.max(1e-9, Math.abs(low) * 0.1), high + Math.max(1e-9, Math.abs(high) * 0.1)];
  const forward = isLog ? Math.log10 : (value) => value;
  let [bottom, top] = [forward(low), forward(high)];
  const margin = pad * (top - bottom);
  if (!isLog && low >= 0 && bottom - margin < 0) bottom = 0;
  else bottom -= margin;
  top += margin;
  const at = (value) => start + ((forward(value) - bottom) / (top - bottom)) * (end - start);
  const valueAt = (pixel) => {
    const exact = bottom + ((pixel - start) / (end - start)) * (top - bottom);
    return isLog ? 10 ** exact : exact;
  };
  const count = Math.max(2, Math.floor(Math.abs(end - start) / (start > end ? 48 : 80)));
  const ticks = isLog ? logTicks(valueAt(start), valueAt(end)) : linearTicks(bottom, top, count);
  return { at, valueAt, ticks, isShown: (value) => Number.isFinite(value) && (!isLog || value > 0) };
}

/** The mean of the latest points, as far back as there are so many; a gap begins anew. */
export function smoothed(points, window) {
  if (window < 2) return points;
  let within = [];
  return points.flatMap(([x, y]) => {
    within = Number.isFinite(y) ? [...within, y].slice(-window) : [];
    return within.length < window ? [] : [[x, within.reduce((sum, one) => sum + one / window, 0)]];
  });
}
