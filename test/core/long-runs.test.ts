import { describe, expect, it } from "vitest";
import { reduce } from "../../src/core/reduce.js";
import type { Series } from "../../src/core/series.js";
import type { State } from "../../src/core/state.js";
import { simulateLongRun, type LongRun } from "../support/long-journal.js";

/** Everything in a state that grows with the length of its run. */
function growing(state: State): Series<unknown>[] {
  const { signal, scores, operator, identityDropped } = state;
  const { prefix } = signal;
  const kept = prefix === null || !("values" in prefix.read) ? [] : [prefix.read.values, prefix.read.blocks];
  const read = prefix === null ? [] : [prefix.points, ...kept];
  const { evaluations, evaluatedAt, validations } = scores;
  const all = [
    ...Object.values(signal.series),
    ...read,
    evaluations,
    evaluatedAt,
    validations,
    operator.ids,
    identityDropped,
  ];
  return all as Series<unknown>[];
}

/** Numbers of items that stand in plain lists anywhere in the state, the configuration and the model apart. */
function listed(state: State): number {
  const { config: _, model: __, ...rest } = state;
  let items = 0;
  JSON.stringify(rest, function (key, value: unknown) {
    const written = (this as Record<string, unknown>)[key];
    if (written !== null && typeof written === "object" && "continues" in written) return null;
    if (Array.isArray(value)) items += value.length;
    return value;
  });
  return items;
}

describe.each<LongRun>(["decided", "open", "rising"])("a long run (%s)", (kind) => {
  const { records } = simulateLongRun(700, kind);

  it("hands on at every record what it has, without a copy", () => {
    let state: State | null = null;
    let copies = 0;
    for (const { event } of records) {
      const before: Series<unknown>[] = state === null ? [] : growing(state);
      state = reduce(state, event).state;
      const after = growing(state);
      copies += before.filter((series) => series.length > 0 && !after.some((next) => next.continues(series))).length;
    }
    expect(copies).toBe(0);
    expect(state!.signal.series["probe/fisher_trace"]).toHaveLength(701);
  });

  it("keeps no list that grows with it", () => {
    let most = 0;
    let state: State | null = null;
    for (const { event } of records) {
      state = reduce(state, event).state;
      most = Math.max(most, listed(state));
    }
    expect(most).toBeLessThan(60);
  });
});
