import { describe, expect, it } from "vitest";
import { everyScoreTable, scoresTable } from "../../../src/report/tables/scores-table.js";
import type { Cell, Table } from "../../../src/report/tables/table.js";
import type { Sweep, SweptRun } from "../../../src/sweep/swept-run.js";
import { recordedSweep, runWith, withOod } from "../../support/recorded-sweep.js";

const sweep = recordedSweep("mnist-width8");

function at(table: Table | null, row: string, key: string): Cell {
  const index = table!.columns.findIndex((column) => column.key === key);
  return table!.rows.find(({ label }) => label === row)!.cells[index]!;
}

function codes(cell: Cell): string[] {
  return cell.marks.map(({ code }) => code);
}

function changed(change: (run: SweptRun) => SweptRun, rest: Partial<Sweep> = {}): Sweep {
  return { ...sweep, ...rest, runs: sweep.runs.map(change) };
}

describe("the table of scores", () => {
  it("has a row a condition, and the paired gain over the baseline", () => {
    const table = scoresTable(sweep);
    expect(table!.rows.map(({ label }) => label)).toEqual(sweep.conditions);
    expect(table!.columns.map(({ key }) => key)).toEqual(
      "runs k in_dist/accuracy change ood/mean gain points improvement".split(" "),
    );
    expect(at(table, "standard", "gain").value).toBeNull();
    expect(at(table, "fixed-210", "k").points).toEqual([{ seed: null, value: 210 }]);
    expect(at(table, "online-fisher-trace", "k").points.map(({ value }) => value)).toEqual([120, 120, 120]);
    expect(at(table, "online-fisher-trace", "gain").points.map(({ seed }) => seed)).toEqual([0, 1, 2]);
  });

  it("shows points below six seeds, and the interquartile mean from six on", () => {
    const six = {
      ...sweep,
      runs: Array.from({ length: 6 }, (_, seed) =>
        sweep.runs.filter((run) => run.seed === 0).map((run) => withOod(run, { seed }, 0.5 + seed / 100)),
      ).flat(),
    };
    const keys = scoresTable(six)!.columns.map(({ key }) => key);
    expect(keys).toContain("iqm");
    expect(keys).not.toContain("points");
    expect(at(scoresTable(six), "standard", "iqm").value).toBeCloseTo(0.525, 12);
  });

  it("never hides what failed or is missing", () => {
    const failed = changed((run) =>
      run.seed === 2 && run.condition === "fixed-210"
        ? { ...run, results: null, standing: "failed", failure: "no space is left" }
        : run,
    );
    const table = scoresTable(failed);
    expect(at(table, "fixed-210", "runs").text).toBe("2 of 3: 1 failed");
    expect(at(table, "fixed-210", "ood/mean")).toMatchObject({ n: 2 });
    expect(codes(at(table, "fixed-210", "ood/mean"))).toContain("incomplete");
    expect(codes(at(table, "standard", "ood/mean"))).not.toContain("incomplete");
    expect(table!.notes).toContain("Of 15 runs of mnist-width8: 1 failed; they are in no number.");
    expect(table!.notes.join("\n")).toContain("failed: no space is left.");
  });

  it("keeps the row of a condition of which nothing has finished", () => {
    const none = changed((run) =>
      run.condition === "fixed-210" ? { ...run, results: null, standing: "pending" } : run,
    );
    expect(at(scoresTable(none), "fixed-210", "ood/mean")).toMatchObject({ value: null, n: 0 });
    expect(at(scoresTable(none), "fixed-210", "gain").value).toBeNull();
  });

  it("marks what is small, regenerated, from JPEG files, of the cap, of an operator, ended early", () => {
    const marked = changed(
      (run) =>
        run.condition !== "online-fisher-trace"
          ? run
          : runWith(
              run,
              {},
              {
                images_from_jpeg: run.seed === 0,
                ended: run.seed === 1 ? "early" : null,
                k: { ...run.results!.k!, source: run.seed === 2 ? "cap" : "operator" },
              },
            ),
      { scale: "small" },
    );
    const all = ["scale", "regenerated", "jpeg", "cap", "operator", "ended_early"];
    expect(codes(at(scoresTable(marked), "online-fisher-trace", "ood/mean"))).toEqual(all);
    expect(codes(at(scoresTable(marked), "online-fisher-trace", "in_dist/accuracy"))).toEqual(
      all.filter((code) => code !== "regenerated"),
    );
    expect(codes(at(scoresTable(marked), "standard", "in_dist/accuracy"))).toEqual(["scale"]);
  });

  it("says that a comparison is across software or processors", () => {
    const other = changed((run) =>
      run.condition === "fixed-210" && run.seed === 1
        ? {
            ...run,
            manifest: { ...run.manifest!, software: { ...run.manifest!.software, torch: "2.9.0", cpu: "Other" } },
          }
        : run,
    );
    const table = scoresTable(other);
    expect(codes(at(table, "fixed-210", "gain"))).toContain("other_machine");
    expect(codes(at(table, "online-fisher-trace", "gain"))).not.toContain("other_machine");
    expect(table!.notes.at(-1)).toBe(
      "Compared across software or processors: torch 2.13.0+cpu and 2.9.0; cpu AMD EPYC and Other.",
    );
  });

  it("says that two means are over other corruptions", () => {
    const fewer = changed((run) =>
      run.condition === "fixed-210" && run.seed === 0
        ? runWith(run, {}, { ood: { ...run.results!.ood!, left_out: { fog: "no room" } } })
        : run,
    );
    expect(codes(at(scoresTable(fewer), "fixed-210", "gain"))).toContain("other_tests");
    expect(scoresTable(fewer)!.notes).toContain("OOD is the mean over 14 or 15 corruptions, 10000 images each.");
  });

  it("compares by the score that the sweep names, without a second column of the same", () => {
    const table = scoresTable({ ...sweep, evaluateOn: "in_dist/accuracy", baseline: null });
    expect(table!.columns.map(({ key }) => key)).toEqual(["runs", "k", "in_dist/accuracy", "points"]);
  });

  it("shows what a script recorded as plain numbers, of which none is the best", () => {
    const recorded = changed((run) =>
      runWith(
        run,
        {},
        {
          recorded: { loss: { points: 1, last: { update: 9, value: 3.5, standard_error: null } } as never },
        },
      ),
    );
    const table = scoresTable({ ...recorded, evaluateOn: "recorded/loss" });
    const column = table!.columns.find(({ key }) => key === "recorded/loss");
    expect(column).toMatchObject({ unit: "number", better: null, heading: "loss" });
    expect(at(table, "standard", "recorded/loss").value).toBe(3.5);
  });

  it("says how many results are taken from runs that trained the same", () => {
    const taken = changed((run) =>
      run.condition === "fixed-210" ? { ...run, standing: "taken", takenFrom: "x" } : run,
    );
    expect(scoresTable(taken)!.notes).toContain("3 of 15 runs are taken from runs that trained the same.");
  });

  it("is none without a score, and every score has a column of its own", () => {
    expect(scoresTable(changed((run) => ({ ...run, results: null, standing: "pending" })))).toBeNull();
    expect(everyScoreTable({ ...sweep, runs: [] })).toBeNull();
    expect(everyScoreTable(sweep)!.columns).toHaveLength(17);
  });
});
