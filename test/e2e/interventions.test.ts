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

test("a release warm-up: the same run until the first release, and the same weights after a kill amid a ramp", async () => {
  const config = (...overrides: string[]): Config =>
    tinyConfig(
      "intervention.k=14",
      "train.updates=40",
      "probe.until=end",
      "checkpoint.every=10",
      "train.optimizer=adamw",
      "train.learning_rate=0.001",
      "train.max_gradient_norm=0.5",
      ...overrides,
    );
  const rates = new Map<number, readonly number[]>();
  const undisturbed = await runTiny(newRunFolder(), config("intervention.release_warmup=9"), {
    onRecord: ({ event }) => {
      if (event.type === "worker/applied") rates.set(event.body.update, event.body.learning_rates);
    },
  });
  expect(undisturbed.results).toMatchObject({
    outcome: "finished",
    left_frozen: ["layer2", "layer1", "stem"],
    release_warmup: { updates: 9, unfinished: [] },
  });
  // Each block has groups of its own, and the first release's begins at a ninth.
  expect([...new Set(rates.get(1))]).toEqual([0.001]);
  expect([...new Set(rates.get(14))]).toEqual([0.001, 0.001 * (1 / 9)]);
  expect([...new Set(rates.get(28))]).toEqual([0.001, 0.001 * (1 / 9)]);

  // The checkpoint of update 20 is in the middle of the first ramp, and the worker dies before the next one.
  const disturbed = await runTiny(newRunFolder(), config("intervention.release_warmup=9"), {
    onRecord: killAt(({ event }) => event.type === "worker/reachedBoundary" && event.body.update === 26),
  });
  expect(disturbed.results).toMatchObject({ attempts: 2, weights_sha256: undisturbed.results.weights_sha256 });
  expect(disturbed.results.bit_identical.promised).toBe(true);

  const sudden = await runTiny(newRunFolder(), config());
  expect(sudden.results.release_warmup).toBeNull();
  expect(sudden.results.weights_sha256).not.toBe(undisturbed.results.weights_sha256);
  const [warm, cold] = [undisturbed, sudden].map(({ state }) =>
    state.signal.series["probe/fisher_trace"]!.map(({ update, value }) => [update, value] as const),
  );
  // Boundaries are the same, and bits are until the release: cutting the optimizer by block leaves no trace.
  expect(warm!.map(([update]) => update)).toEqual(cold!.map(([update]) => update));
  expect(warm!.filter(([update]) => update <= 14)).toEqual(cold!.filter(([update]) => update <= 14));
  expect(warm!.at(-1)).not.toEqual(cold!.at(-1));
});

test("a release warm-up that finds nothing to release is refused once the blocks are known", async () => {
  const epochs = ["train.updates=null", "train.epochs=1", "intervention.k=100", "data.max_train_examples=320"];
  const { state } = await runTiny(newRunFolder(), tinyConfig(...epochs, "intervention.release_warmup=5"));
  const message = "`intervention.release_warmup` has no effect: k = 100 releases no block within 10 updates";
  expect(state.end).toMatchObject({ outcome: "failed", exitCode: 2, message });
});
