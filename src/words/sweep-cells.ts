import type { WatchedRun } from "../sweep/watched-sweep.js";
import { formatDuration, formatNumber } from "./format.js";

/** `42s`, `3m`, `2h`, `4d`: where there is no room for more. */
export function shortDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 100) return `${whole}s`;
  if (whole < 6000) return `${Math.round(whole / 60)}m`;
  return whole < 2 * 86_400 ? `${Math.round(whole / 3600)}h` : `${Math.round(whole / 86_400)}d`;
}

/** A score without its unit: in percent where it is a share of 1. */
export function bareScore(name: string, value: number): string {
  return name.startsWith("recorded/") ? formatNumber(value, 4) : (value * 100).toFixed(2);
}

/** `in %`, where `bareScore` leaves that out. */
export function unitOfScore(name: string): string {
  return name.startsWith("recorded/") ? "" : " in %";
}

/** `k57`; `k57c` where nothing chose it but the cap. */
export function shortK({ k }: Pick<WatchedRun, "k">): string {
  return k === null ? "" : `k${k.value}${k.source === "cap" ? "c" : ""}`;
}

/** What a run is at, in a sentence: `running, update 43 of 60, about 12 s left`. */
export function describeWatchedRun(run: WatchedRun): string {
  const { standing, failure, takenFrom, step, of, phase, secondsLeft, seconds, k } = run;
  const parts: string[] = [standing];
  if (standing === "failed") parts.push(failure ?? "without a sentence");
  if (takenFrom !== null) parts.push(`it trains as \`${takenFrom}\` did`);
  if (standing === "running" || standing === "interrupted") {
    if (step !== null) parts.push(`update ${step}${of === null ? "" : ` of ${of}`}`);
    if (phase !== null && phase !== "train") parts.push(`now: ${phase}`);
  }
  if (k !== null) parts.push(`k = ${k.value} (${k.source})`);
  if (seconds !== null && takenFrom === null) parts.push(`took ${formatDuration(seconds)}`);
  if (secondsLeft !== null) parts.push(`about ${formatDuration(secondsLeft)} left`);
  return parts.join(", ");
}

/** Completed updates as a share, in whole percent; empty where that is not known. */
export function shortProgress({ step, of }: Pick<WatchedRun, "step" | "of">): string {
  return step === null || of === null || of === 0 ? "" : `${Math.floor((100 * Math.min(step, of)) / of)}%`;
}
