import type { InterventionKind } from "../config/schema.js";
import { kindOf } from "../core/intervention/kinds.js";
import type { State } from "../core/state.js";
import { selectLeftFrozen, selectRemoval } from "../reading/selectors.js";
import { singleLine } from "../printable.js";

/** What is said of each kind of intervention, where there is something of its own to say. */
interface InterventionWords {
  /** In place of k, where there is none. */
  readonly withoutK: string;
  /** What it does from here on, where no block is still to be unfrozen. */
  readonly now: (state: State) => string;
}

const WORDS: Readonly<Record<InterventionKind, InterventionWords>> = {
  gradual_unfreezing: { withoutK: "not decided", now: describeFrozen },
  head_then_full: { withoutK: "not decided", now: describeFrozen },
  learning_rate_switch: { withoutK: "not decided", now: describeFactor },
  none: {
    withoutK: "none: standard training, without an intervention",
    now: () => "no intervention: everything trains from the first update",
  },
};

export function interventionWords({ config }: Pick<State, "config">): InterventionWords {
  return WORDS[config.intervention.kind];
}

/** Whether it ever freezes a block, so that an operator can unfreeze one. */
export function freezesBlocks({ config }: Pick<State, "config">): boolean {
  return kindOf(config.intervention).refusal("unfreeze") === null;
}

function describeFrozen(state: State): string {
  const frozen = selectLeftFrozen(state);
  return frozen.length === 0 ? "all blocks train" : `${frozen.map(singleLine).join(", ")} stay frozen to the end`;
}

function describeFactor(state: State): string {
  const { intervention } = state.config;
  if (intervention.kind !== "learning_rate_switch") return "";
  const removal = selectRemoval(state);
  return removal === null || state.progress.frontier >= removal
    ? `the learning rate is multiplied by ${intervention.after}`
    : `the learning rate is multiplied by ${intervention.before} until update ${removal}`;
}
