import { readFileSync } from "node:fs";
import type { SignalPoint } from "../../../src/core/detector/stabilization.js";

export const RECORDED = [
  "width8_batch128_seed0",
  "width8_batch64_seed0",
  "width8_batch64_seed0_batchnorm_calibrated",
  "width8_batch64_seed0_scope_all",
] as const;

export type Column = "fisher_trace" | "sharpness_avg" | "sharpness_worst";

/** A recorded series as if each of its points had been measured without error: the recordings hold no errors. */
export function recordedSeries(file: (typeof RECORDED)[number], column: Column): SignalPoint[] {
  const path = new URL(`../../fixtures/signals/${file}.csv`, import.meta.url);
  const [header, ...rows] = readFileSync(path, "utf8").trim().split("\n");
  const index = header!.split(",").indexOf(column);
  return rows.map((row) => {
    const fields = row.split(",").map(Number);
    const step = fields[0]!;
    return { update: step === 0 ? 1 : step, value: fields[index]!, changeError: 0, spanError: 0 };
  });
}
