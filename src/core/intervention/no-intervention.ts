import { learningRateFactors } from "./factors.js";
import { refuseUnfreezing, type InterventionKind } from "./kind.js";
import { everythingTrains } from "./schedule.js";

/** Standard training: nothing is frozen, and only an operator changes the learning rate. */
export const noIntervention: InterventionKind<"none"> = {
  schedule: ({ model, operatorChanges }) => ({
    ...everythingTrains(model),
    factors: learningRateFactors(operatorChanges),
  }),
  latestInterval: () => Infinity,
  refusal: refuseUnfreezing,
};
