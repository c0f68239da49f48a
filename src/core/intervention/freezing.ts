import type { Intervention } from "../../config/schema.js";
import type { Model } from "../state.js";
import { beginsIn } from "./counting.js";
import { learningRateFactors } from "./factors.js";
import type { ScheduleInput } from "./kind.js";
import type { Schedule } from "./schedule.js";

/** The blocks to be unfrozen, from the top down: the L of Algorithm 1 counts no block that trains from the start. */
export function releasedBlocks({ blocks }: Model): Model["blocks"] {
  return blocks.filter((block) => !block.trainableFromStart);
}

interface FreezingInput extends Pick<ScheduleInput, "model" | "operatorChanges"> {
  readonly intervention: Extract<Intervention, { readonly kind: "gradual_unfreezing" | "head_then_full" }>;
}

/**
 * Everything but the head, and what trains with it from the start, is frozen until it is released. An operator's
 * unfreezing takes the next block early and leaves k, so that what is scheduled later finds fewer blocks left.
 *
 * @param blocks names in the order in which they are unfrozen
 * @param updates those in which one of them is, where k is known
 */
export function freezingSchedule(
  { intervention, model, operatorChanges }: FreezingInput,
  blocks: readonly string[],
  updates: readonly number[],
): Schedule {
  const fromStart = model.blocks.filter((block) => block.trainableFromStart).map((block) => block.name);
  const byOperator = operatorChanges.filter((change) => change.kind === "unfreeze").map((change) => change.update);
  const all = [...updates, ...byOperator].sort((a, b) => a - b);
  const releases = blocks.flatMap((block, index) => {
    const update = all[index];
    return update === undefined ? [] : [{ update, block }];
  });
  return {
    all: [model.head.name, ...model.blocks.map((block) => block.name)],
    frozenFrom: beginsIn(intervention),
    initial: [model.head.name, ...fromStart],
    releases,
    factors: learningRateFactors(operatorChanges),
    releaseWarmup: intervention.release_warmup ?? null,
  };
}
