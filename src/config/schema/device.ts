import { z } from "zod";
import { wordOrInteger } from "./fields.js";

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
});
