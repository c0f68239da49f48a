import type { Policy } from "./policy.js";

/** Standard training: no intervention, so no k. */
export const standard: Policy = {
  initial: () => null,
  judgeBoundary: () => ({ interval: null, judgement: null }),
};
