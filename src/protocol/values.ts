/** Numbers and texts as they may stand in a message: bounded, so that both languages read them alike. */
import { z } from "zod";
import { RECORDED_NAME } from "../metrics.js";

/** A number that may be NaN or infinite: JSON and zod know neither, and a diverged run sends both. */
export const metricValue = z.union([z.number(), z.strictObject({ non_finite: z.enum(["nan", "inf", "-inf"]) })], {
  error: 'expected a number or {non_finite: "nan" | "inf" | "-inf"}',
});
export type MetricValue = z.infer<typeof metricValue>;

/** At most `max` characters as JSON Schema and Python count them, that is code points; JavaScript's length counts more. */
export function characters(max: number, min = 0) {
  return z
    .string()
    .min(min)
    .refine((value) => value.length <= max || Array.from(value).length <= max, {
      error: `longer than ${max} characters`,
    })
    .meta({ maxLength: max });
}

export const count = z.int().nonnegative();
export const update = z.int().positive();
export const seconds = z.number().nonnegative();
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const name = characters(256, 1);
export const recordedName = z.string().regex(RECORDED_NAME);
export const text = characters(16_384);
export const learningRates = z.array(z.number().nonnegative()).max(1024);
