import { expect, it } from "vitest";
import { recordedSeries } from "../../src/reading/recorded-series.js";
import { QUIET, recordedRun } from "../support/recorded-run.js";

it("tells of each name how many values there are, the last one, and their range without what is not finite", () => {
  const nan = { non_finite: "nan" } as const;
  const record = (step: number) => (step <= 3 ? { loss: step === 3 ? nan : step, broken: nan } : {});
  const { state } = recordedRun(record, ...QUIET).until(({ progress }) => progress.frontier >= 5);
  const last = { update: 4, value: nan, standard_error: null };
  expect(recordedSeries(state)).toEqual({
    loss: { points: 3, last, least: 1, most: 2 },
    broken: { points: 3, last, least: null, most: null },
  });
});
