import type { RunConfig } from "../config/attached.js";

/**
 * Everything that a training sees of its configuration, as text to compare: two runs of one text, on the same software
 * and processor, have the same weights bit for bit. It is the promise that a run which decides k at update i trains as
 * one with k fixed to i (docs/decisions/0001) put to work.
 *
 * Whatever is not known to be unseen is in it. Unseen are names, how often a run is saved, who supervises it, what is
 * measured (probes leave training as it was), how k was found, and what the weights are tested on at the end.
 *
 * @param config with contents in the place of paths
 * @param k the interval that the run has, or has found; null for a run that has none
 */
export function trainingIdentity(config: RunConfig, k: number | null): string {
  const { name: _, probe: __, supervision: ___, intervention, ...rest } = config;
  const seen = { ...rest, intervention: { ...scheduleOf(intervention), k } };
  if (rest.script !== undefined) return canonical(seen);
  const { checkpoint: _c, evaluate, data, device, ...training } = rest;
  return canonical({
    ...training,
    intervention: seen.intervention,
    data: without(data, SEEN_BY_TESTS),
    // Which weights are kept, and how often they are looked at for it.
    evaluate: only(evaluate, SEEN_BY_SELECTION),
    device: without(device, ["shared"]),
  });
}

/** Everything that the final scores depend on besides the weights, as text to compare. */
export function evaluationIdentity(config: RunConfig): string {
  if (config.script !== undefined) return canonical({});
  return canonical({ evaluate: config.evaluate, tests: only(config.data, SEEN_BY_TESTS) });
}

/** Of data: what only the tests of the finished weights see, and checks of files that change no bit. */
const SEEN_BY_TESTS = ["max_test_examples", "tests", "languages", "verify_checksums"];
/** Of an evaluation: what chooses the weights. */
const SEEN_BY_SELECTION = ["every", "keep", "development"];
/** How k is found online; what it does once found is the schedule's. */
const OF_THE_RULE = ["k", "signal", "rule", "mode", "tau", "epsilon", "k_max"];

function scheduleOf(intervention: RunConfig["intervention"]): object {
  return without(intervention, OF_THE_RULE);
}

function without(section: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(key)));
}

function only(section: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(section).filter(([key]) => keys.includes(key)));
}

/** JSON with keys in one order, so that equal values are equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
