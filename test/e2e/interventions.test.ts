import { expect, test } from "vitest";
import type { Config } from "../../src/config/schema.js";
import { isFinite } from "../../src/core/detector/signal.js";
import { killAt, newRunFolder, runTiny, tinyConfig } from "./harness.js";

test("bottom up: the stem is the first block to train", async () => {
  const unfrozen: string[] = [];
  const end = await runTiny(
    newRunFolder(),
    tinyConfig("intervention.k=15", "intervention.order=bottom_up", "train.updates=40"),
    {
      onRecord: ({ decisions = [] }) => {
        for (const decision of decisions) {
          if (decision.type === "block/unfrozen") unfrozen.push(`${decision.blocks.join(" ")} at ${decision.update}`);
        }
      },
    },
  );
  expect(end.results).toMatchObject({ outcome: "finished", left_frozen: ["layer4", "layer3", "layer2"] });
  expect(unfrozen).toEqual(["stem at 15", "layer1 at 30"]);
});

test("calibrated BatchNorm is held while frozen: no early transient, and the same weights after a kill", async () => {
  const config = tinyConfig("intervention.frozen_batch_norm=calibrate", "intervention.k_max=30", "train.updates=60");
  const undisturbed = await runTiny(newRunFolder(), config);
  const norms = undisturbed.state.signal.series["probe/feature_norm_squared"]!.map(({ value }) => value);
  // Features before the head depend on frozen layers alone, and nothing in those moves.
  expect(norms.every(isFinite)).toBe(true);
  expect(new Set(norms).size).toBe(1);
  expect(undisturbed.results.k).toMatchObject({ value: 30, source: "cap" });

  const disturbed = await runTiny(newRunFolder(), config, {
    onRecord: killAt(({ event }) => event.type === "worker/reachedBoundary" && event.body.update === 40),
  });
  expect(disturbed.results.attempts).toBe(2);
  expect(disturbed.results.weights_sha256).toBe(undisturbed.results.weights_sha256);
});

test("a late start: everything trains until then, k is counted from there, and a kill changes nothing", async () => {
  const config = (k: string): Config =>
    tinyConfig(
      k,
      "intervention.start=21",
      "intervention.frozen_batch_norm=calibrate",
      "train.updates=36",
      // The last checkpoint before the start is older than it.
      "checkpoint.every=15",
    );
  const undisturbed = await runTiny(newRunFolder(), config("intervention.k_max=6"));
  expect(undisturbed.results.k).toMatchObject({ value: 6, source: "cap", start: 21, decided_at_update: 26 });
  expect(undisturbed.results.left_frozen).toEqual(["layer2", "layer1", "stem"]);
  const points = undisturbed.state.signal.series["probe/fisher_trace"]!.map(({ update }) => update);
  expect(points).toEqual([21, 22, 24, 26]);

  // All blocks are frozen and nothing is measured yet: what comes again is the freezing itself.
  const disturbed = await runTiny(newRunFolder(), config("intervention.k_max=6"), {
    onRecord: killAt(({ event }) => event.type === "worker/applied" && event.body.update === 21),
  });
  expect(disturbed.results).toMatchObject({ attempts: 2, weights_sha256: undisturbed.results.weights_sha256 });

  const fixed = await runTiny(newRunFolder(), config("intervention.k=6"));
  expect(fixed.state.signal.series).toEqual({});
  expect(fixed.results).toMatchObject({ k: { source: "fixed" }, weights_sha256: undisturbed.results.weights_sha256 });
});
