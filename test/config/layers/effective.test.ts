import { expect, it } from "vitest";
import { formsOf } from "../../../src/config/forms.js";
import { effectiveSettings } from "../../../src/config/layers/effective.js";
import type { Settings } from "../../../src/config/layers/layers.js";

/** Two layers, the weaker one first, and what they say together. */
function effectiveOf(weaker: Settings, stronger: Settings, merged: Settings) {
  const layers = [weaker, stronger].map((settings) => ({ settings, locate: () => null }));
  return effectiveSettings(merged, layers, formsOf(merged));
}

const kind = { kind: "none" };
const merged = { intervention: { kind: "none", k: 40 } };

it("leaves out what was inherited without effect, and says so", () => {
  expect(effectiveOf({ intervention: { k: 40 } }, { intervention: kind }, merged)).toEqual({
    settings: { intervention: kind },
    problems: [],
    leftOut: ["left out `intervention.k`, without effect: `intervention.kind` is `none`"],
    keysLeftOut: [["intervention", "k"]],
  });
});

it("leaves out what is set for several configurations, of which this one has no use for it", () => {
  const shared = { settings: { intervention: { k: 40 } }, locate: () => null, isShared: true as const };
  const layers = [{ settings: { intervention: kind }, locate: () => null }, shared];
  expect(effectiveSettings(merged, layers, formsOf(merged))).toMatchObject({
    settings: { intervention: kind },
    problems: [],
    keysLeftOut: [["intervention", "k"]],
  });
});

it("refuses what was set by who took its effect, or by a stronger layer", () => {
  for (const [weaker, stronger] of [
    [{}, merged],
    [{ intervention: kind }, { intervention: { k: 40 } }],
  ] as const) {
    const { problems, leftOut } = effectiveOf(weaker, stronger, merged);
    expect(problems.map(({ text, hint }) => [text, hint])).toEqual([
      ["`intervention.k` has no effect: `intervention.kind` is `none`", "remove `intervention.k`"],
    ]);
    expect(leftOut).toEqual([]);
  }
});

it("lets a preset say how to measure what it does not measure, and tells of it only what a stronger layer took", () => {
  const preset = { probe: { metrics: ["fisher_trace"], draws: 15 } };
  const layer = { settings: preset, locate: () => null, isPreset: true as const };
  const withOverride = (settings: Settings) => {
    const merged = { probe: { ...preset.probe, ...(settings["probe"] as Settings | undefined) } };
    return effectiveSettings(merged, [layer, { settings, locate: () => null }], formsOf(merged));
  };
  expect(withOverride({})).toEqual({
    settings: { probe: { metrics: ["fisher_trace"] } },
    problems: [],
    leftOut: [],
    keysLeftOut: [],
  });
  expect(withOverride({ probe: { metrics: ["sharpness_avg"] } }).settings).toEqual({
    probe: { metrics: ["sharpness_avg"], draws: 15 },
  });
  expect(withOverride({ probe: { metrics: ["sharpness_worst"] } }).leftOut).toEqual([
    "left out `probe.draws`, without effect: `probe.metrics` measures `sharpness_worst` only",
  ]);
  expect(withOverride({ probe: { draws: 4 } }).problems).toHaveLength(1);
});

it("leaves unknown keys to the schema", () => {
  const settings = { intervention: { kind: "none", kk: 40 } };
  expect(effectiveOf({}, settings, settings)).toEqual({ settings, problems: [], leftOut: [], keysLeftOut: [] });
});

it("says what a mapping of another kind replaced", () => {
  const { leftOut } = effectiveOf(
    { data: { kind: "mnist", path: "a" } },
    { data: { kind: "cifar10" } },
    {
      data: { kind: "cifar10" },
    },
  );
  expect(leftOut).toEqual(["left out `data.path`: a stronger layer chose another kind"]);
});

it("says nothing of a length that is given in the other unit", () => {
  const stronger = { train: { updates: 30 } };
  expect(effectiveOf({ train: { epochs: 3 } }, stronger, stronger).leftOut).toEqual([]);
});
