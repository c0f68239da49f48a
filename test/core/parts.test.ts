import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withParts, withProgress, withSignal } from "../../src/core/parts.js";
import { reduce } from "../../src/core/reduce.js";
import type { State } from "../../src/core/state.js";
import { simulateLongRun } from "../support/long-journal.js";

const { state, records } = simulateLongRun(30, "open");

describe("a state with other parts", () => {
  it("keeps the others, and takes nothing for a part that is null", () => {
    expect(withParts(state, {})).toEqual(state);
    expect(withParts(state, { attempt: null, end: null, model: null })).toEqual({
      ...state,
      attempt: null,
      end: null,
      model: null,
    });
    expect(withProgress(state.progress, { latest: null, frontier: 0 })).toEqual({
      ...state.progress,
      latest: null,
      frontier: 0,
    });
    expect(withSignal(state.signal, { prefix: null, judgedUntil: 0 })).toEqual({
      ...state.signal,
      prefix: null,
      judgedUntil: 0,
    });
  });

  it("leaves what it is made of as it was", () => {
    const before = JSON.stringify(state);
    withParts(state, { term: 99, progress: withProgress(state.progress, { frontier: 99 }) });
    expect(JSON.stringify(state)).toBe(before);
  });

  it("has its parts in one order from a run's creation on: of another order each would be another kind of object", () => {
    const orders = new Set<string>();
    let reached: State | null = null;
    for (const { event } of records) {
      reached = reduce(reached, event).state;
      orders.add([reached, reached.progress, reached.signal].map((part) => Object.keys(part).join()).join(";"));
    }
    expect(orders.size).toBe(1);
  });

  it("is made in one place: no other spreads a state, its progress or its signal", () => {
    const spread = /\.\.\.(?:state|next|gone|known|\w+\.progress|\w+\.signal)\b(?![.(\w])/g;
    const sources = readdirSync("src/core", { recursive: true, encoding: "utf8" }).filter((path) =>
      path.endsWith(".ts"),
    );
    expect(sources.length).toBeGreaterThan(50);
    const spreads = sources.flatMap((path) => {
      const found = readFileSync(join("src/core", path), "utf8").match(spread) ?? [];
      return found.map((text) => `${path}: ${text}`);
    });
    expect(spreads).toEqual([]);
  });
});
