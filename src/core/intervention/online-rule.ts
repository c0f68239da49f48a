import type { Intervention } from "../../config/schema.js";

/** An intervention whose k is decided during the run. */
export type OnlineIntervention = Extract<Intervention, { readonly k: "online" }>;

/** What a run is configured to decide k by; null where k is fixed, or there is none. */
export function onlineRule(intervention: Intervention): OnlineIntervention | null {
  return intervention.kind !== "none" && intervention.k === "online" ? intervention : null;
}
