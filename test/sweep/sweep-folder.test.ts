import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { UserError } from "../../src/errors.js";
import type { Plan } from "../../src/sweep/plan.js";
import { PLAN_FILE } from "../../src/sweep/plan-file.js";
import { FAILURE, notesFolderOf, openSweepFolder, readPlan } from "../../src/sweep/sweep-folder.js";
import { planned, SWEEP } from "./sweep-file.js";

const PLAN = await planned(SWEEP);

function refusal(folder: string, plan: Plan, extend = false): UserError {
  try {
    openSweepFolder(folder, plan, "0.1.0", extend);
  } catch (error) {
    return error as UserError;
  }
  throw new Error("it was not refused");
}

function begun(plan = PLAN): string {
  const folder = join(mkdtempSync(join(tmpdir(), "thawline-sweep-")), "deep", "sweep");
  openSweepFolder(folder, plan, "0.1.0");
  return folder;
}

describe("the folder of a sweep", () => {
  it("has its plan, for nobody but the user", () => {
    const folder = begun();
    expect(readPlan(folder)).toEqual(JSON.parse(JSON.stringify(PLAN)));
    expect([statSync(folder).mode & 0o777, statSync(join(folder, PLAN_FILE)).mode & 0o777]).toEqual([0o700, 0o600]);
    openSweepFolder(folder, PLAN, "0.1.0");
  });

  it("takes the same plan from a machine where the data lie elsewhere, with its paths", () => {
    const folder = begun();
    const runs = PLAN.runs.map((run) => ({
      ...run,
      config: { ...run.config, data: { ...run.config.data!, path: "/elsewhere" } },
    }));
    openSweepFolder(folder, { ...PLAN, runs: runs as Plan["runs"] }, "0.1.0");
    expect(readPlan(folder).runs[0]!.config.data).toMatchObject({ path: "/elsewhere" });
  });

  it("refuses another plan and says which keys differ", async () => {
    const folder = begun();
    const before = readFileSync(join(folder, PLAN_FILE), "utf8");
    const other = await planned(SWEEP, { overrides: ["train.batch_size=32", "train.learning_rate=0.5"] });
    expect(refusal(folder, other)).toMatchObject({
      code: "other_plan",
      message: `\`${folder}\` belongs to another plan: its runs have other values of \`train.batch_size\`, \`train.learning_rate\``,
    });
    expect(readFileSync(join(folder, PLAN_FILE), "utf8")).toBe(before);
  });

  it("lets a larger plan in when that is asked for, and no smaller one", async () => {
    const folder = begun();
    const larger = await planned(SWEEP, { overrides: ["seed=0,1,2"] });
    expect(refusal(folder, larger).message).toMatch(
      /it lacks 4 runs \(`standard` with seed 2, `online` with seed 2, `fixed` with seed 2\)/,
    );
    expect(refusal(folder, larger).hint).toMatch(/`--extend`/);
    openSweepFolder(folder, larger, "0.1.0", true);
    expect(readPlan(folder).runs).toHaveLength(12);
    expect(refusal(folder, PLAN, true).message).toMatch(/it has 4 runs \(.*\) that this one does not/);
  });

  it.each([
    ["another file", "not json"],
    ["a plan of another version", '{"format": 99, "runs": []}'],
    ["something else", "[]"],
  ])("is told from %s", (_, text) => {
    const folder = begun();
    writeFileSync(join(folder, PLAN_FILE), text);
    expect(() => readPlan(folder)).toThrow(/is not the plan of a sweep of this version/);
  });

  it("keeps why a run failed until it is removed, and reads a damaged note as none", () => {
    const folder = begun();
    const notes = notesFolderOf(folder, "a");
    mkdirSync(notes, { recursive: true });
    const failure = { call: "c", times: 2, message: "no room", output: "" };
    FAILURE.write(folder, "a", failure);
    expect(FAILURE.read(folder, "a")).toEqual(failure);
    writeFileSync(join(notes, "failure.json"), '{"call": "c", ');
    expect(FAILURE.read(folder, "a")).toBeNull();
    FAILURE.remove(folder, "a");
    expect(FAILURE.read(folder, "a")).toBeNull();
  });
});
