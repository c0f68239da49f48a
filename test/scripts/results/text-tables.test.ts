import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootstrapInterval, TEXT_TABLES, type RunSummary } from "../../../scripts/results/text-tables.mjs";

function run(intervention: string, seed: number, english: number, others: Record<string, number>): RunSummary {
  const perLanguage = Object.fromEntries(Object.entries(others).map(([language, f1]) => [language, { f1 }]));
  const standard = intervention === "standard";
  return {
    id: `xquad-small-${intervention}-seed${seed}`,
    results: {
      k: standard ? null : { value: 40 + seed, source: "online" },
      in_dist: { f1: english },
      scores: { xquad: { per_language: { en: { f1: english }, ...perLanguage } } },
      probe_seconds: 30,
      train_seconds: 300,
    },
    what_if: standard
      ? []
      : [3, 8].map((tau) => ({
          metric: "fisher_trace",
          tau,
          k_online: 40,
          k_offline: tau === 3 ? 24 : null,
          flat: false,
        })),
    series: standard ? {} : { fisher_trace: { update: [1, 4, 8], value: [1, 2, 3] } },
  };
}

const RUNS = [
  run("online-fisher-trace", 1, 0.7, { de: 0.6, es: 0.5 }),
  run("online-fisher-trace", 0, 0.6, { ar: 0.1, de: 0.5, es: 0.4 }),
  run("standard", 0, 0.5, { ar: 0.3, de: 0.4, es: 0.2 }),
  run("standard", 1, 0.5, { de: 0.5, es: 0.5 }),
  { ...run("standard", 0, 1, {}), id: "mnist-width8-standard-seed0" },
];
const table = (name: string, runs = RUNS) => TEXT_TABLES[name]!(runs);

describe("the tables of text runs", () => {
  it("compare interventions over the languages that all runs have, paired by seed", () => {
    expect(table("xquad-small")).toEqual({
      head: ["intervention", "n", "k by seed", "en", "X-ling", "X-ling, gain over standard"],
      rows: [
        ["standard", 2, "-, -", "50.0 [50.0, 50.0]", "40.0 [30.0, 50.0]", "-"],
        [
          "online-fisher-trace",
          2,
          "40 (online), 41 (online)",
          "65.0 [60.0, 70.0]",
          "50.0 [45.0, 55.0]",
          "10.0 [5.0, 15.0]",
        ],
      ],
    });
  });

  it("have one language a row", () => {
    expect(table("xquad-small-languages").rows.map(([language]) => language)).toEqual(["en", "de", "es"]);
    expect(table("xquad-small-languages").rows[1]).toEqual(["de", "45.0 [40.0, 50.0]", "55.0 [50.0, 60.0]"]);
  });

  it("show all languages of the runs that were tested in more", () => {
    expect(table("xquad-small-all-languages")).toEqual({
      head: ["language", "standard", "online-fisher-trace"],
      rows: [
        ["en", "50.0", "60.0"],
        ["ar", "30.0", "10.0"],
        ["de", "40.0", "50.0"],
        ["es", "20.0", "40.0"],
        ["X-ling", "30.0", "33.3"],
      ],
    });
  });

  it("say what a signal cost and which k it gave", () => {
    expect(table("xquad-small-signals").rows).toEqual([
      ["fisher_trace", 0, "40 (online)", "40 (24)", "40 (-)", 3, "10.0", "10"],
      ["fisher_trace", 1, "41 (online)", "40 (24)", "40 (-)", 3, "10.0", "10"],
    ]);
  });

  it("are empty without text runs", () => {
    for (const name of Object.keys(TEXT_TABLES)) expect(table(name, RUNS.slice(-1)).rows).toEqual([]);
  });
});

describe("the bootstrap interval of a mean", () => {
  it("is the range for three values, and nothing for one", () => {
    expect(bootstrapInterval([3, 1, 2])).toEqual([1, 3]);
    expect(bootstrapInterval([3])).toBeNull();
  });

  it("leaves out at most its share on either side, of all resamples", () => {
    // 256 resamples, of which 6 may go on either side: one has the sum 0, four have 1, and the sixth has 2.
    expect(bootstrapInterval([0, 1, 2, 3])).toEqual([0.5, 2.5]);
  });

  it("moves and stretches with the values, and holds their mean", () => {
    const numbers = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: -50, max: 50 }), (values, shift) => {
        const [lower, upper] = bootstrapInterval(values)!;
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(lower).toBeLessThanOrEqual(mean);
        expect(upper).toBeGreaterThanOrEqual(mean);
        const moved = bootstrapInterval(values.map((value) => 2 * (value + shift)))!;
        expect(moved[0]).toBeCloseTo(2 * (lower + shift));
        expect(moved[1]).toBeCloseTo(2 * (upper + shift));
      }),
    );
  });
});
