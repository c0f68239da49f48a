import { readdirSync } from "node:fs";
import { test } from "vitest";
import { runScripted, verdict, eventsOf } from "./misbehaving-run.js";
const short = ["supervision.connect_seconds=8","supervision.ready_seconds=1","supervision.progress_seconds=1","supervision.stop_grace_seconds=0.5"];
const names = readdirSync(new URL("../fixtures/workers", import.meta.url)).filter((n) => n.endsWith(".py") && !["channel_only.py", "sends_garbage.py", "reports_faults.py"].includes(n));
const jobs: [string, ...string[]][] = [...names.map((n): [string] => [n]), ...["bytes","bomb","tag","frames","gap","session","attempt","oversize"].map((a): [string, string] => ["sends_garbage.py", a]), ...["user", "code", "environment"].map((a): [string,string] => ["reports_faults.py", a])];
test("all", async () => {
  for (const worker of jobs) {
    const t = performance.now();
    const overrides = [...short, ...(worker[0] === "never_connects.py" ? ["supervision.connect_seconds=0.5"] : []), ...(worker[0].includes("slow") ? ["supervision.progress_seconds=1"]:[])];
    try {
    const run = await runScripted({ worker, overrides });
    const hint = run.state.end?.outcome === "failed" ? run.state.end.hint : "";
    console.log(worker.join(" "), Math.round(performance.now() - t), "|", verdict(run), "|", hint, "|", run.records.length, run.notices.join(";"), eventsOf(run.records, "attempt/timedOut").map(e=>e.clock).join());
    } catch (e) { console.log(worker.join(" "), "THREW", e); }
  }
}, 300000);
