import type { OperatorChange } from "../state.js";
import type { Schedule } from "./schedule.js";

/**
 * The intervention's factor on the learning rate times the operator's last one.
 *
 * @param changes the updates in which `factorAt` changes
 */
export function learningRateFactors(
  operatorChanges: readonly OperatorChange[],
  factorAt: (update: number) => number = () => 1,
  changes: readonly number[] = [],
): Schedule["factors"] {
  const byOperator = operatorChanges.filter((change) => change.kind === "learningRate");
  const operatorFactorAt = (update: number): number =>
    byOperator.filter((change) => change.update <= update).at(-1)?.factor ?? 1;
  return [...new Set([0, ...changes, ...byOperator.map(({ update }) => update)])]
    .sort((a, b) => a - b)
    .map((update) => ({ update, factor: factorAt(update) * operatorFactorAt(update) }));
}
