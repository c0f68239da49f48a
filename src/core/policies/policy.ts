import type { Config } from "../../config/schema.js";
import type { Judgement } from "../stabilization.js";
import type { Interval, Model, State } from "../state.js";

/** What a policy says at a boundary: the interval it decided, if it did, and the judgement behind it. */
export interface Verdict {
  readonly interval: Interval | null;
  readonly judgement: Judgement | null;
}

/** Finds k. What k then does (unfreezing, a learning-rate switch) is the schedule's business. */
export interface Policy {
  /** k, where it is known before the run starts. */
  readonly initial: (intervention: Config["intervention"]) => Interval | null;
  /** Called once for every boundary at which k is still unknown, in order, after the boundary's metrics are in `state.series`. */
  readonly judgeBoundary: (state: State, model: Model, update: number) => Verdict;
}
