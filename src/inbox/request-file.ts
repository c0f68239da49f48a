import { z } from "zod";
import { REQUEST_VERBS } from "../core/events.js";

const at = z.int().positive().optional();
const plainVerbs = REQUEST_VERBS.filter((verb) => verb !== "set-lr");

const operatorRequest = z.union([
  z.object({ verb: z.enum(plainVerbs), at }),
  z.object({ verb: z.literal("set-lr"), factor: z.number(), at }),
]);

/** One operator's request on its way to the controller. A request for another term than the current one expires. */
export const requestFileSchema = z.object({
  id: z.string(),
  term: z.number(),
  who: z.string(),
  request: operatorRequest,
});
export type RequestFile = z.output<typeof requestFileSchema>;
