import { beginsIn, updateAt } from "./counting.js";
import { learningRateFactors } from "./factors.js";
import { earlyShare, refuseUnfreezing, type InterventionKind } from "./kind.js";
import { everythingTrains } from "./schedule.js";

/**
 * The learning rate is multiplied by `before` until k, by `after` from there on. One that starts later is a period too:
 * before it the run trains as it does after it, at `after`.
 */
export const learningRateSwitch: InterventionKind<"learning_rate_switch"> = {
  schedule: ({ intervention, model, interval, operatorChanges }) => {
    const begin = beginsIn(intervention);
    const end = interval === null ? Infinity : updateAt(intervention, interval.k);
    const factorAt = (update: number): number =>
      update >= begin && update < end ? intervention.before : intervention.after;
    const changes = [begin, end].filter((update) => update !== Infinity);
    return { ...everythingTrains(model), factors: learningRateFactors(operatorChanges, factorAt, changes) };
  },
  latestInterval: (_, numUpdates) => earlyShare(numUpdates),
  refusal: refuseUnfreezing,
};
