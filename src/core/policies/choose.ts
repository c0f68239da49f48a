import type { Config } from "../../config/schema.js";
import { fixedInterval } from "./fixed-interval.js";
import { onlineInterval } from "./online-interval.js";
import type { Policy } from "./policy.js";
import { standard } from "./standard.js";

/** The policy that a configuration asks for. */
export function policyOf(intervention: Config["intervention"]): Policy {
  if (intervention.kind === "none") return standard;
  return intervention.k === "online" ? onlineInterval : fixedInterval;
}
