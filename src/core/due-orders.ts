import type { Order } from "../protocol/messages.js";
import { awaitsKeeping, awaitsRestoring, awaitsValidation } from "./best.js";
import { awaitsEpochEnd } from "./epoch-ends.js";
import type { Model, State } from "./state.js";

/** Orders that are due at this boundary and whose result is not in the journal yet, in the order of their execution. */
export function dueOrders(state: State, model: Model, update: number): Order[] {
  const atEnd = model.numUpdates !== null && update === model.numUpdates + 1;
  const saved = state.weights.checkpoints.some((checkpoint) => checkpoint.step === update - 1);
  const isAsked = (order: Order): boolean => state.operator.orders.some((entry) => entry.order === order);
  if (awaitsValidation(state, model, update)) return ["validate"];
  const orders: Order[] = [];
  if (awaitsKeeping(state, model, update)) orders.push("keep_best");
  const every = state.config.checkpoint?.every ?? Infinity;
  const checkpointDue = atEnd || update % every === 0 || isAsked("checkpoint");
  if (model.canCheckpoint && checkpointDue && !saved) orders.push("checkpoint");
  if (awaitsRestoring(state, model, update)) orders.push("restore_best");
  const awaited = (atEnd && !state.scores.evaluatedAt.has(update)) || awaitsEpochEnd(state, model, update);
  const evaluateDue = awaited || isAsked("evaluate");
  if (model.canEvaluate && evaluateDue) orders.push("evaluate");
  return orders;
}
