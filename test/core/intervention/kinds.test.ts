import { expect, it } from "vitest";
import { INTERVENTION_KINDS } from "../../../src/config/schema/intervention.js";
import { gradualUnfreezing } from "../../../src/core/intervention/gradual-unfreezing.js";
import { headThenFull } from "../../../src/core/intervention/head-then-full.js";
import { deriveSchedule, kindOf } from "../../../src/core/intervention/kinds.js";
import { learningRateSwitch } from "../../../src/core/intervention/learning-rate-switch.js";
import { noIntervention } from "../../../src/core/intervention/no-intervention.js";
import { intervalOf, interventionOf, modelOf } from "./schedules.js";

it("have a row for each kind that can be configured", () => {
  const rows = INTERVENTION_KINDS.map((kind) => kindOf(interventionOf(kind)));
  expect(new Set(rows)).toEqual(new Set([gradualUnfreezing, headThenFull, learningRateSwitch, noIntervention]));
});

it("give the schedule of the configured kind", () => {
  const intervention = interventionOf("learning_rate_switch");
  const input = { intervention, model: modelOf(2), interval: intervalOf(7), operatorChanges: [], seed: 0 };
  expect(deriveSchedule(input)).toEqual(learningRateSwitch.schedule(input));
});
