import { hostname } from "node:os";
import { livesHere } from "../process-identity.js";
import { processNamespace, type Holder } from "./holder.js";
import { slurmHasEnded, type HasEnded } from "./scheduler.js";
import { silenceOf } from "./server-clock.js";

/** How often a holder touches its file, and how long one may be silent. */
export const HEARTBEAT_MILLISECONDS = 30_000;
export const EXPIRY_MILLISECONDS = 300_000;

export interface LifeFacts {
  /** A holder on another host that has been silent for longer is dead. */
  readonly expiryMilliseconds?: number;
  readonly hasEnded?: HasEnded;
}

/** `unknown`: it may live, and nothing can tell. */
export type Life = "alive" | "dead" | "unknown";

/**
 * Whether the process lives that the file at `path` names. On this host its identity tells; on another one (or in a
 * container with process ids of its own) the scheduler, or its heartbeat by the file server's clock. One whose heartbeat
 * is fresh is alive whatever the scheduler says: a node that is lost to the scheduler may still write.
 *
 * @param otherwise as `silenceOf` has it
 */
export function lifeOf(path: string, holder: Holder, facts: LifeFacts = {}, otherwise: number | null = null): Life {
  if (isOfThisHost(holder)) return livesHere(holder) ? "alive" : "dead";
  const { heartbeatMilliseconds, job } = holder;
  const silence = heartbeatMilliseconds === undefined ? null : silenceOf(path, otherwise);
  if (silence === null) return "unknown";
  if (silence > (facts.expiryMilliseconds ?? EXPIRY_MILLISECONDS)) return "dead";
  if (silence <= heartbeatMilliseconds!) return "alive";
  const isAskedFor = job !== undefined && job !== null && holder.user === process.getuid?.();
  return isAskedFor && (facts.hasEnded ?? slurmHasEnded)(job) === true ? "dead" : "alive";
}

/** Whether its process id means something to this process. */
export function isOfThisHost({ host, processNamespace: namespace }: Holder): boolean {
  return host === hostname() && (namespace === undefined || namespace === processNamespace());
}
