import { unfreezingOrder } from "./block-order.js";
import { updateAt } from "./counting.js";
import { freezingSchedule, releasedBlocks } from "./freezing.js";
import type { InterventionKind, InterventionOf } from "./kind.js";

type GradualUnfreezing = InterventionOf<"gradual_unfreezing">;

/**
 * Algorithm 1: before update i the next block from the top is unfrozen if i mod k = 0 and i <= k L, with i counted from
 * the start of the intervention and L the number of blocks that are frozen there.
 */
export const gradualUnfreezing: InterventionKind<"gradual_unfreezing"> = {
  schedule: (input) => {
    const { intervention, model, interval, seed } = input;
    const blocks = unfreezingOrder(releasedBlocks(model), intervention.order, seed);
    const updates =
      interval === null
        ? []
        : blocks.map((_, index) => updateAt(intervention, multipleFor(intervention, index) * interval.k));
    return freezingSchedule(input, blocks, updates);
  },
  // The last block is still unfrozen within the run.
  latestInterval: (intervention, numUpdates, model) =>
    Math.floor(numUpdates / multipleFor(intervention, releasedBlocks(model).length - 1)),
  refusal: () => null,
};

/**
 * Which multiple of k unfreezes the block at `index` of the order. Deviation `paper41`: the released code of the paper's
 * reference [41] spends its first multiple on a block that is trained already, so the first new one comes at 2k.
 */
function multipleFor({ first_unfreeze: first }: GradualUnfreezing, index: number): number {
  return index + 1 + (first === "paper41" ? 1 : 0);
}
