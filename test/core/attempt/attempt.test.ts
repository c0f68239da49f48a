import { describe, expect, it } from "vitest";
import {
  atBoundary,
  closed,
  lastWordOf,
  preparing,
  standingOf,
  stopping,
  training,
  type Connecting,
  type Standing,
} from "../../../src/core/attempt/attempt.js";
import { pointSeries } from "../../../src/core/point-series.js";

const LIFE = { number: 2, resumeFrom: null, process: { pid: 7, startTime: "1" }, ended: null };
const STANDING: Standing = { update: 5, held: { trainable: ["head"], factor: 1 }, measuredAt: 4, restored: false };
const GRANT = { until: 9, trainable: ["head"], learning_rate_factor: 1, orders: [], probe: [] };
const WORD = {
  outcome: "stopped",
  step: 4,
  seconds: { train: 1, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 },
} as const;

const connecting: Connecting = { ...LIFE, stage: "connecting" };
const welcomed = { ...preparing(connecting), remembered: { "probe/x": pointSeries([]) } };
const granted = { ...training(welcomed, STANDING, GRANT), recalled: true, applied: true };
const arrived = atBoundary(granted, { update: 9, measuredAt: 9, recalled: false });

describe("an attempt", () => {
  it("begins to prepare with nothing remembered", () => {
    expect(preparing(connecting)).toEqual({ ...LIFE, stage: "preparing", remembered: {} });
  });

  it("forgets at its first grant what a script brought along", () => {
    expect(training(welcomed, STANDING, GRANT)).toEqual({
      ...LIFE,
      ...STANDING,
      stage: "training",
      grant: GRANT,
      heldBefore: null,
      recalled: false,
      applied: false,
    });
  });

  it("stands at its boundary without the grant, and without what became of it", () => {
    expect(arrived).toEqual({ ...LIFE, ...STANDING, update: 9, measuredAt: 9, stage: "waiting" });
    expect(stopping(arrived)).toEqual({ ...arrived, stage: "stopping" });
  });

  it("goes on holding what it held where a recall came before it had obeyed", () => {
    const next = training(arrived, { ...STANDING, held: { trainable: ["head", "top"], factor: 1 } }, GRANT);
    const holding = (recalled: boolean, obeyed: boolean): readonly string[] =>
      atBoundary({ ...next, applied: obeyed }, { update: 9, measuredAt: 9, recalled }).held.trainable;
    expect(holding(true, false)).toEqual(["head"]);
    expect([holding(true, true), holding(false, true)]).toEqual([
      ["head", "top"],
      ["head", "top"],
    ]);
  });

  it("takes up a new grant as one that was neither recalled nor applied", () => {
    expect(training(granted, granted, GRANT)).toMatchObject({ recalled: false, applied: false });
  });

  it("is closed with its last word, and where it stood", () => {
    expect(closed(granted, WORD)).toEqual({ ...LIFE, stage: "closed", closed: WORD, stood: STANDING });
    expect(closed(connecting, null)).toEqual({ ...LIFE, stage: "closed", closed: null, stood: null });
  });

  it("keeps why it was ended through every stage", () => {
    const ended = { why: "it broke", refusal: null };
    for (const later of [preparing, (attempt: Connecting) => closed(attempt, null)]) {
      expect(later({ ...connecting, ended }).ended).toBe(ended);
    }
    expect(atBoundary({ ...granted, ended }, { update: 9, measuredAt: 9, recalled: false }).ended).toBe(ended);
  });
});

describe("where its worker stands", () => {
  it("is unknown before it began, and kept after it closed", () => {
    expect([null, connecting, welcomed].map(standingOf)).toEqual([null, null, null]);
    expect([granted, arrived].map((attempt) => standingOf(attempt)?.update)).toEqual([5, 9]);
    expect(standingOf(closed(arrived, WORD))).toEqual({ ...STANDING, update: 9, measuredAt: 9 });
  });
});

it("has a last word once it has closed with one", () => {
  expect([arrived, closed(arrived, null), closed(arrived, WORD)].map(lastWordOf)).toEqual([null, null, WORD]);
});
