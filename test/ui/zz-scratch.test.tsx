import { it } from "vitest";
import { simulateRun } from "./journal-builder.js";
import { summary } from "../../src/ui/summary.js";
import { composeResults } from "../../src/controller/results.js";
import { encodeRecord } from "../../src/journal/format.js";
import { writeFileSync, mkdirSync } from "node:fs";
it("x", () => {
  const all = simulateRun();
  console.log(
    summary(composeResults(all.state, 64), {
      runFolder: "runs/quickstart-2026-11-23-120000",
      config: all.state.config,
      color: false,
    }),
  );
  const f = simulateRun({ failAt: 130 });
  console.log(
    summary(composeResults(f.state, 64), {
      runFolder: "runs/quickstart-2026-11-23-120000",
      config: all.state.config,
      color: false,
    }),
  );
  mkdirSync("/tmp/ui/run", { recursive: true });
  writeFileSync("/tmp/ui/all.journal", all.records.map(encodeRecord).join(""));
  writeFileSync("/tmp/ui/failed.journal", f.records.map(encodeRecord).join(""));
});
