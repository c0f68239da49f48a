import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JOURNAL_FILE } from "../../src/journal/format.js";
import { openJournalWriter } from "../../src/journal/writer.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

/** Histories name no folder of the machine that recorded them. */
const DATA = "data.path=/data/mnist";

function onlineRun(): SimulatedRun {
  return new SimulatedRun(simulatedConfig(DATA)).finish();
}

/** Deaths of both sides, a pause, an interrupt and an operator's changes. */
function disturbedRun(): SimulatedRun {
  const run = new SimulatedRun(simulatedConfig(DATA, "intervention.k=15"));
  run.act({ do: "work", times: 12 });
  run.act({ do: "die", lost: 1 });
  run.act({ do: "work", times: 20 });
  run.act({ do: "request", request: { verb: "set-lr", factor: 0.5, at: 25 } });
  run.act({ do: "request", request: { verb: "unfreeze", at: 33 } });
  run.act({ do: "work", times: 60 });
  run.act({ do: "crash", lost: 3 });
  run.act({ do: "work", times: 10 });
  run.act({ do: "request", request: { verb: "pause" } });
  run.act({ do: "work", times: 10 });
  run.act({ do: "interrupt" });
  return run.finish();
}

/** Writes the histories of `version` into `folder`. */
export function recordHistories(folder: string, version: string): void {
  const runs = { "simulated-online": onlineRun(), "simulated-disturbed": disturbedRun() };
  for (const [name, { records }] of Object.entries(runs)) {
    const runFolder = mkdtempSync(join(tmpdir(), "thawline-history-"));
    const writer = openJournalWriter(runFolder, 0, console.error);
    for (const record of records) writer.append(record, false);
    writer.close();
    copyFileSync(join(runFolder, JOURNAL_FILE), join(folder, `v${version}-${name}.journal`));
    rmSync(runFolder, { recursive: true });
  }
}
