import type { Policy } from "./policy.js";

/** k is given in the configuration. */
export const fixedInterval: Policy = {
  initial: ({ k }) =>
    k === "online"
      ? null
      : { k, source: "fixed", signal: null, decidedAt: 0, kOffline: null, kOfflineReason: "k was fixed" },
  judgeBoundary: () => ({ interval: null, judgement: null }),
};
