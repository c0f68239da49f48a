import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { findSubject, goesOn } from "../../src/report/find-subject.js";
import { reportOn } from "../../src/report/report-on.js";
import { RunCache } from "../../src/report/run-cache.js";
import { simulatedSweep, type SimulatedSweep } from "../support/simulated-sweep.js";

const rules = { tau: [3, 8], epsilon: [0.01, 0.02, 0.05], mode: null };

async function reported(folder: string): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), "report-"));
  await reportOn([folder], out, { draws: true, watches: false, whatIf: rules, tell: () => undefined });
  return out;
}

const textOf = (page: string): string =>
  page
    .replace(/<svg[\s\S]*?<\/svg>/g, "")
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");

describe("a report on a sweep that is being made", () => {
  let sweep: SimulatedSweep;
  let text: string;

  beforeAll(async () => {
    sweep = await simulatedSweep(({ condition, seed, axes }, { runs }) => {
      if (condition === "online" && seed === 1) return "failed";
      if (condition === "online" && seed === 2) return "cut off";
      if (axes["intervention.k"] === 12) return "pending";
      const source = runs.find((run) => run.seed === seed && run.axes["intervention.k"] === 4)!;
      return axes["intervention.k"] === 8 && seed === 0 ? { taken: source.id } : "finished";
    });
    text = textOf(readFileSync(join(await reported(sweep.folder), "report.html"), "utf8"));
  });

  it("counts and names what is missing, failed or taken", () => {
    const idOf = (condition: string, seed: number, k?: number): string =>
      sweep.plan.runs.find(
        (run) =>
          run.condition === condition && run.seed === seed && (k === undefined || run.axes["intervention.k"] === k),
      )!.id;
    expect(text).toContain("10 of 15 done (9 finished, 1 taken, 1 interrupted, 1 failed, 3 pending)");
    const missing = [idOf("gradual", 0, 12), idOf("gradual", 1, 12), idOf("online", 2), idOf("gradual", 2, 12)];
    expect(text).toContain(`missing: ${missing.join(", ")}`);
    expect(text).toContain(`failed: ${idOf("online", 1)}`);
    expect(text).toContain(
      `${idOf("gradual", 0, 8)} has the results of ${idOf("gradual", 0, 4)}, which trained the same`,
    );
    expect(text).toContain("every number is of that scale");
  });

  it("answers first, and goes on", async () => {
    expect(text.indexOf("in OOD accuracy")).toBeLessThan(text.indexOf("10 of 15 done"));
    expect(goesOn(await findSubject([sweep.folder], new RunCache()))).toBe(true);
  });
});

describe("a report on a sweep that has been made", () => {
  let sweep: SimulatedSweep;
  let out: string;

  beforeAll(async () => {
    sweep = await simulatedSweep();
    out = await reported(sweep.folder);
  });

  it("does not go on, and names nothing that is missing", async () => {
    expect(goesOn(await findSubject([sweep.folder], new RunCache()))).toBe(false);
    expect(textOf(readFileSync(join(out, "report.html"), "utf8"))).not.toContain("missing:");
  });

  it("has other rules as table and figures", () => {
    const table = readFileSync(join(out, "tables", "what-if.csv"), "utf8");
    expect(table).toContain("tau 8, epsilon 0.05");
    expect(readdirSync(join(out, "figures"))).toContain("what-if-fisher_trace-online.csv");
  });

  it("draws the paper's figures by number, and says what the others lack", () => {
    const drawn = new Set(readdirSync(join(out, "figures")).map((file) => /^paper-figure-(\d+)/.exec(file)?.[1]));
    expect([...drawn].filter((one) => one !== undefined).sort()).toEqual(["1", "2", "5", "6"]);
    const text = textOf(readFileSync(join(out, "report.html"), "utf8"));
    expect(text).toContain("npx thawline sweep figure7 --scale small");
    expect(text).toContain("npx thawline sweep figure4 --base squad-xlmr-lora");
  });

  it("has the numbers that an independent program computes from the results", () => {
    const script = resolve(import.meta.dirname, "recompute.py");
    const said = execFileSync(inject("realPython"), [script, sweep.folder, out], { encoding: "utf8" });
    const { compared, differing } = JSON.parse(said) as { compared: Record<string, number>; differing: string[] };
    expect(differing).toEqual([]);
    for (const part of ["scores.csv", "every-score.csv", "kendall.csv", "change-over-k.csv", "page", "page gain"])
      expect(compared, part).toHaveProperty([part], expect.any(Number));
  });
});
