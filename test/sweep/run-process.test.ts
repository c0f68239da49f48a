import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { JOURNAL_FILE } from "../../src/journal/format.js";
import { startRun } from "../../src/sweep/run-process.js";
import { openSweepFolder, runFolderOf } from "../../src/sweep/sweep-folder.js";
import { planned } from "./sweep-file.js";

it("counts a run as stopped whose controller is told to stop before it listens", async () => {
  const plan = await planned(
    "base: quickstart\nseeds: 1\nconditions: { standard: { set: { intervention.kind: none } } }\n",
  );
  const folder = join(mkdtempSync(join(tmpdir(), "thawline-sweep-")), "sweep");
  openSweepFolder(folder, plan, "0.1.0");
  const run = plan.runs[0]!;
  const started = startRun({ folder, run, slot: { index: 0, env: {} }, onDecision: () => undefined });
  started.stop();
  expect(await started.ended).toEqual({ outcome: "stopped", message: "", output: "" });
  // Nothing is lost: it begins when its turn comes again.
  expect(existsSync(join(runFolderOf(folder, run.id), JOURNAL_FILE))).toBe(false);
});
