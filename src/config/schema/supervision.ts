import { z } from "zod";
import { atLeast, leftOutOrGiven } from "./fields.js";

export const seconds = (standard: number, meaning: string) => z.number().positive().default(standard).describe(meaning);

export const supervision = z.strictObject({
  connect_seconds: seconds(60, "Time a worker has to connect."),
  ready_seconds: seconds(600, "Time a worker has to load model and data."),
  link_silent_seconds: seconds(10, "Silence on the link after which it is shown as silent."),
  progress_warn_seconds: seconds(
    60,
    "Time without progress after which a warning is shown, if 10 median updates are shorter.",
  ),
  progress_seconds: seconds(900, "Time without progress after which the attempt is ended."),
  stop_grace_seconds: seconds(60, "Time a worker has to stop by itself, besides 3 median updates."),
  max_restarts: atLeast(0).default(5).describe("Restarts in a row without a newer checkpoint."),
  restart_delay_seconds: seconds(0.5, "Wait before the first restart; doubles with each one that makes no progress."),
});

/** The keys of a supervision that restarts, or of one that does not. */
export function supervisionForm(form: z.ZodObject, restarts: boolean): z.ZodObject {
  return restarts ? form : form.omit({ restart_delay_seconds: true });
}

const { max_restarts, restart_delay_seconds } = leftOutOrGiven(supervision.shape);
/** As a run uses it. Without `max_restarts`, which only a script can be, nothing is restarted. */
export const resolvedSupervision = supervision.extend({ max_restarts, restart_delay_seconds });
