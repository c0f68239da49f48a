import { updateAt } from "./counting.js";
import { freezingSchedule, releasedBlocks } from "./freezing.js";
import { earlyShare, type InterventionKind } from "./kind.js";

/**
 * The head alone until k, then everything: linear probing, then fine-tuning (Kumar et al., 2022, arXiv:2202.10054),
 * which keeps pretrained features from being distorted by the gradients of a head that knows nothing yet.
 */
export const headThenFull: InterventionKind<"head_then_full"> = {
  schedule: (input) => {
    const { intervention, model, interval } = input;
    const blocks = releasedBlocks(model).map(({ name }) => name);
    const updates = interval === null ? [] : blocks.map(() => updateAt(intervention, interval.k));
    return freezingSchedule(input, blocks, updates);
  },
  latestInterval: (_, numUpdates) => earlyShare(numUpdates),
  refusal: () => null,
};
