import { expect, it } from "vitest";
import type { State } from "../../src/core/state.js";
import { freezesBlocks, interventionWords } from "../../src/words/interventions.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

/** A run before update `update`. */
function before(update: number, ...overrides: string[]): State {
  const config = simulatedConfig("checkpoint.every=1000", ...overrides);
  return new SimulatedRun(config).until(({ progress }) => progress.frontier >= update).state;
}

const now = (state: State): string => interventionWords(state).now(state);

it("say what stays frozen, where no block is still to be unfrozen", () => {
  expect(now(before(60, "intervention.k=20"))).toBe("all blocks train");
  expect(now(before(61, "intervention.k=25"))).toBe("block1 stay frozen to the end");
});

it("say by what the learning rate is multiplied, until k and after it", () => {
  const change = ["intervention.kind=learning_rate_switch", "intervention.k=20"];
  expect(now(before(1, ...change))).toBe("the learning rate is multiplied by 0.1 until update 20");
  expect(now(before(20, ...change))).toBe("the learning rate is multiplied by 1");
});

it("say that there is none", () => {
  const state = before(1, "intervention.kind=none");
  expect(interventionWords(state).withoutK).toContain("without an intervention");
  expect(now(state)).toContain("everything trains");
});

it("know which interventions freeze blocks", () => {
  const kinds = ["gradual_unfreezing", "head_then_full", "learning_rate_switch", "none"];
  const freezing = kinds.filter((kind) => freezesBlocks({ config: simulatedConfig(`intervention.kind=${kind}`) }));
  expect(freezing).toEqual(["gradual_unfreezing", "head_then_full"]);
});
