import { expect, it } from "vitest";
import { createRun } from "../../src/core/create-run.js";
import { CORE_VERSION } from "../../src/core/state.js";
import { BugError } from "../../src/errors.js";
import { simulatedConfig } from "../support/simulated-run.js";

const config = simulatedConfig();

it("makes a run with nothing in it but its configuration, and orders nothing", () => {
  const created = { type: "run/created", format: 1, coreVersion: CORE_VERSION, run: "r", config } as const;
  const { state, decisions, commands } = createRun(created);
  expect(state).toMatchObject({ run: "r", config, coreVersion: CORE_VERSION, term: 0, attempt: null, end: null });
  expect(state.progress.frontier).toBe(0);
  expect([decisions, commands]).toEqual([[], []]);
  // A series is written down as the list that it is.
  expect(JSON.parse(JSON.stringify(state.scores))).toEqual({
    evaluations: [],
    evaluatedAt: [],
    validations: [],
    best: null,
  });
});

it("takes no other event first", () => {
  const started = { type: "controller/started", term: 1, pid: 1, host: "here" } as const;
  expect(() => createRun(started)).toThrow(new BugError("`controller/started` came before the run was created"));
});
