import { relative } from "node:path";
import type { SeriesPoint } from "../core/state.js";

type MetricValue = SeriesPoint["value"];

/** About `digits` significant digits, without the noise of trailing zeros: 0.0654, 1.23e-5, 1415. */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return shortExponent(value.toExponential(digits - 1));
  if (size >= 10 ** (digits - 1)) return String(Math.round(value));
  return String(Number(value.toPrecision(digits)));
}

function shortExponent(text: string): string {
  return text.replace(/\.?0*e/, "e").replace("e+", "e");
}

export function formatMetric(value: MetricValue | null, digits = 3): string {
  if (value === null) return "unknown";
  return typeof value === "number" ? formatNumber(value, digits) : value.non_finite;
}

/** A share of 1 as a percentage: `7.9 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** How far a block has moved, relative to where it began: `moved 0.3 %`. */
export function formatMoved(moved: MetricValue): string {
  return `moved ${formatMovedShare(moved)}`;
}

/** The same without the word: `1.3 %`. */
export function formatMovedShare(moved: MetricValue): string {
  if (typeof moved !== "number") return moved.non_finite;
  const percent = moved * 100;
  return `${percent < 0.1 ? formatNumber(percent, 2) : percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** An accuracy, a share of 1, with two decimals as tables of the field print it. */
export function formatAccuracy(accuracy: number): string {
  return `${(accuracy * 100).toFixed(2)} %`;
}

/** `42 s`, `3 min 07 s`, `2 h 05 min`, `3 d 04 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`;
}

/** Seconds as a cost: `4.6 s` below a minute, where the decimals matter, else like a duration. */
export function formatCost(seconds: number): string {
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : formatDuration(seconds);
}

/** A clock that runs: `00:42`, `1:03:09`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours === 0 ? "" : `${hours}:`}${twoDigits(minutes)}:${twoDigits(whole % 60)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** `1 block`, `5 blocks`. */
export function formatCount(count: number, noun: string): string {
  return `${formatInteger(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Groups of three digits from five digits on: `4711`, `175 258`. */
export function formatInteger(count: number): string {
  const digits = String(count);
  return digits.length < 5 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, " ");
}

/** A path as seen from the current folder, where that is shorter to type. */
export function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere === "" || fromHere.startsWith("..") ? path : fromHere;
}
