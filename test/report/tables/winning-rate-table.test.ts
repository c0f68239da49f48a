import { describe, expect, it } from "vitest";
import type { RunConfig } from "../../../src/config/attached.js";
import { winningRateTable } from "../../../src/report/tables/winning-rate-table.js";
import { triedKSweep } from "../../support/tried-k-sweep.js";
import { recordedSweep, runWith } from "../../support/recorded-sweep.js";

describe("the table of winning rates", () => {
  it("compares each condition that found its k with every tried k", () => {
    const table = winningRateTable([triedKSweep()])!;
    expect(table.rows.map(({ label }) => label)).toEqual(["online"]);
    const [rate, pairs, bySeed, bootstrap] = table.rows[0]!.cells;
    expect(rate).toMatchObject({ value: 0.5, n: 6 });
    expect(pairs!.text).toBe("5 of 10");
    expect(bySeed!.points.map(({ seed }) => seed)).toEqual([0, 1, 2, 3, 4, 6]);
    expect(bootstrap!.interval).not.toBeNull();
    expect(rate!.marks.map(({ code }) => code)).toEqual(["regenerated", "cap", "incomplete"]);
  });

  it("says below six seeds that there is no bootstrap", () => {
    expect(winningRateTable([triedKSweep(4)])!.rows[0]!.cells[3]).toMatchObject({ text: "below 6 seeds", value: null });
  });

  it("pools over sweeps whose conditions have the same names", () => {
    const table = winningRateTable([triedKSweep(), triedKSweep(4, { name: "other" })])!;
    expect(table.rows[0]!.cells[1]!.text).toMatch(/ of 20$/);
    expect(table.rows[0]!.cells[4]).toMatchObject({ interval: null });
    expect(table.notes).toContain("Pooled over tried-k, other.");
  });

  it("has a row without a rate where every k came from the cap", () => {
    const sweep = triedKSweep();
    const runs = sweep.runs.map((run) =>
      run.condition === "online" ? runWith(run, {}, { k: { ...run.results!.k!, source: "cap" } }) : run,
    );
    const [row] = winningRateTable([{ ...sweep, runs }])!.rows;
    expect(row!.cells[0]).toMatchObject({ value: null });
    expect(row!.cells[1]!.text).toBe("0 of 0, 10 without a seed in common");
  });

  it("compares only what intervenes alike, where that is known", () => {
    const sweep = triedKSweep();
    const kind = (condition: string) => (condition === "online" ? "head_then_full" : "gradual_unfreezing");
    const configOf = ({ condition }: { condition: string }) =>
      ({ intervention: { kind: kind(condition) } }) as unknown as RunConfig;
    expect(winningRateTable([sweep], configOf)).toBeNull();
  });

  it("is none where no k was tried, or none found", () => {
    expect(winningRateTable([recordedSweep("mnist-width8")])).toBeNull();
    const sweep = triedKSweep();
    const runs = sweep.runs.filter(({ condition }) => condition !== "online");
    expect(winningRateTable([{ ...sweep, runs }])).toBeNull();
  });
});
