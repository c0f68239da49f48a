import { expect, it } from "vitest";
import { andThen, stay, withCommands, withDecisions } from "../../src/core/transition.js";
import { SimulatedRun, simulatedConfig } from "../support/simulated-run.js";

it("adds up what each part decides and orders, in order, on the state of the part before", () => {
  const { state } = new SimulatedRun(simulatedConfig());
  const say = (why: string) => ({ type: "identity/dropped", why }) as const;
  const kill = (attempt: number) => ({ type: "worker/kill", attempt }) as const;
  const first = withCommands(
    withDecisions(stay({ ...state, progress: { ...state.progress, frontier: 1 } }), say("a")),
    kill(1),
  );
  const both = andThen(first, (next) =>
    withCommands(
      withDecisions(stay({ ...next, progress: { ...next.progress, frontier: next.progress.frontier + 1 } }), say("b")),
      kill(2),
    ),
  );
  expect(both).toEqual({
    state: { ...state, progress: { ...state.progress, frontier: 2 } },
    decisions: [say("a"), say("b")],
    commands: [kill(1), kill(2)],
  });
});
