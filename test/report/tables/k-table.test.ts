import { describe, expect, it } from "vitest";
import { kTable } from "../../../src/report/tables/k-table.js";
import { recordedSweep, runWith } from "../../support/recorded-sweep.js";

const sweep = recordedSweep("mnist-width8");

describe("the table of k", () => {
  it("has k by seed, its mean and the offline ones, of the conditions that found one", () => {
    const table = kTable(sweep)!;
    expect(table.rows.map(({ label }) => label)).toEqual(sweep.conditions.slice(2));
    expect(table.rows[1]!.cells.slice(0, 4).map(({ value }) => value)).toEqual([180, 190, 210, 580 / 3]);
    expect(table.rows[1]!.cells[4]!.points.map(({ value }) => value)).toEqual([50, 80, 110]);
  });

  it("marks a cap at its seed, and says what is missing there", () => {
    const runs = sweep.runs.map((run) => {
      if (run.condition !== "online-fisher-trace") return run;
      if (run.seed === 0) return runWith(run, {}, { k: { ...run.results!.k!, source: "cap" } });
      return run.seed === 1 ? { ...run, results: null, standing: "failed" as const } : run;
    });
    const [first, second, third] = kTable({ ...sweep, runs })!.rows[0]!.cells;
    expect(first!.marks.map(({ code }) => code)).toEqual(["cap"]);
    expect(second!.text).toBe("failed");
    expect(third!.marks).toEqual([]);
  });

  it("names the rule, without which a k says nothing", () => {
    expect(kTable(sweep)!.notes[1]).toBe(
      "online-sharpness-avg: average sharpness every 10 updates, tau 8, epsilon 0.02.",
    );
  });

  it("is none where every k was fixed", () => {
    const runs = sweep.runs.filter(({ condition }) => condition === "standard" || condition === "fixed-210");
    expect(kTable({ ...sweep, runs })).toBeNull();
  });
});
