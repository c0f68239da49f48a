import type { Command, Decision } from "../core/commands.js";

/** Those whose effect is in the weights. */
const DURABLE_DECISIONS: ReadonlySet<Decision["type"]> = new Set([
  "interval/decided",
  "every/chosen",
  "block/frozen",
  "block/unfrozen",
  "learningRate/changed",
]);

/** A power cut must not lose a decision whose effect may already be in the weights. */
export function mustBeDurable(decisions: readonly Decision[], commands: readonly Command[]): boolean {
  const decides = decisions.some(({ type }) => DURABLE_DECISIONS.has(type));
  const orders = commands.some(
    (command) => command.type === "worker/grant" && command.body.orders.includes("checkpoint"),
  );
  return decides || orders || commands.some(({ type }) => type === "run/finish" || type === "checkpoint/remove");
}
