import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findSubject } from "../../src/report/find-subject.js";
import { RunCache } from "../../src/report/run-cache.js";
import { PLAN_FILE } from "../../src/sweep/plan-file.js";

it("sweeps and runs are not put into one report, in whichever order they are named", async () => {
  const root = mkdtempSync(join(tmpdir(), "thawline-subject-"));
  const [sweep, run] = [join(root, "sweep"), join(root, "run")];
  mkdirSync(sweep);
  mkdirSync(run);
  writeFileSync(join(sweep, PLAN_FILE), "{}");
  for (const named of [
    [sweep, run],
    [run, sweep],
  ]) {
    await expect(findSubject(named, new RunCache())).rejects.toMatchObject({
      code: "sweeps_and_runs",
      message: `\`${sweep}\` is a sweep and \`${run}\` is none`,
    });
  }
});
