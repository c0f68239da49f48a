import { z } from "zod";
import { atLeast, keyFacts, leftOutOrGiven, wordOrInteger } from "./fields.js";

export const device = z.strictObject({
  kind: z.enum(["auto", "cpu", "cuda"]).default("auto").describe("Where to train; `auto`: a GPU where there is one."),
  threads: wordOrInteger(["auto"])
    .default("auto")
    .describe("CPU threads; `auto`: all cores. Another number of threads gives other weights."),
  shared: z
    .boolean()
    .default(false)
    .describe(
      "Several runs share this machine: idle threads of a run with more than one sleep instead of spinning. " +
        "Doubles the time of an undisturbed run; without it, busy neighbours cost ten times.",
    ),
  precision: z
    .enum(["float32", "bfloat16"])
    .default("float32")
    .describe(
      "Arithmetic of the network in training, and in the search behind sharpness_worst. Weights, losses and all that " +
        "is measured or evaluated stay float32. `bfloat16` is for GPUs; on most CPUs it is slower.",
    ),
});
keyFacts.add(device, { instead: "an attached script chooses its own device and threads" });

/** The keys of a device with this number of threads: one alone waits for no other. */
export function deviceForm(threads: unknown): z.ZodObject {
  return threads === 1 ? device.omit({ shared: true }) : device;
}

/** As a run uses it. */
export const resolvedDevice = device.extend({
  threads: atLeast(1),
  shared: leftOutOrGiven(device.shape).shared,
});
