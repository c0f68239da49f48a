import type { Body } from "../../protocol/messages.js";
import type { Interval, OperatorChange, State } from "../state.js";

export type Decided = NonNullable<Body<"grant">["decided"]>;

/** What a script has to keep beside its own checkpoint for another run to go on with the same schedule. */
export function toDecided({ interval, operator: { changes }, signal: { grid } }: State): Decided {
  const unfreezes = changes.filter(({ kind }) => kind === "unfreeze").map(({ update }) => update);
  const factor = changes.filter((change) => change.kind === "learningRate").at(-1)?.factor ?? 1;
  return {
    interval:
      interval === null
        ? null
        : {
            k: interval.k,
            source: interval.source,
            signal: interval.signal,
            decided_at: interval.decidedAt,
            k_offline: interval.kOffline,
            k_offline_reason: interval.kOfflineReason,
          },
    operator: { unfreezes, learning_rate_factor: factor },
    ...(grid === null ? {} : { probe_every: grid.every }),
  };
}

/** The inverse. When an operator set the last factor is not kept, so it holds from `step`, which it did at the latest. */
export function fromDecided(
  { interval, operator }: Decided,
  step: number,
): { readonly interval: Interval | null; readonly operatorChanges: readonly OperatorChange[] } {
  const factor = operator.learning_rate_factor;
  const changes: OperatorChange[] = operator.unfreezes.map((update) => ({ kind: "unfreeze", update }));
  if (factor !== 1) changes.push({ kind: "learningRate", update: step, factor });
  return { interval: interval === null ? null : intervalFrom(interval), operatorChanges: changes };
}

function intervalFrom(told: NonNullable<Decided["interval"]>): Interval {
  const { k, source, signal, decided_at, k_offline, k_offline_reason } = told;
  return { k, source, signal, decidedAt: decided_at, kOffline: k_offline, kOfflineReason: k_offline_reason };
}
