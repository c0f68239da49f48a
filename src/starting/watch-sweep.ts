import { setTimeout as sleep } from "node:timers/promises";
import { standardOutput } from "../output.js";
import { SweepWatch } from "../sweep/sweep-watch.js";
import type { WatchedRun, WatchedSweep } from "../sweep/watched-sweep.js";
import { runSweepView } from "../ui/sweep-app.js";
import { shortPath } from "../words/format.js";
import { countStandings, nameOfRun } from "../words/sweep.js";
import { describeWatchedRun } from "../words/sweep-cells.js";
import { wantsView, type DisplayOptions } from "./display-options.js";

const POLL_MILLISECONDS = 1000;

/**
 * Shows a sweep that others make, or that is over: the view in a terminal; elsewhere a line for each run that stands
 * otherwise than before, until nobody is at work.
 *
 * @throws UserError `not_a_sweep`, `damaged_sweep`
 */
export async function watchSweep(folder: string, options: DisplayOptions): Promise<void> {
  const watch = new SweepWatch(folder);
  if (wantsView(options)) {
    const { stdout, stdin, env } = process;
    await runSweepView({ look: (now) => watch.look(now), stdout, stdin, env, making: null });
    standardOutput.print(
      `the view is closed, the sweep is left alone; return with\n  npx thawline watch ${shortPath(folder)}\n`,
    );
    return;
  }
  const told = new Map<string, string>();
  for (;;) {
    const sweep = await watch.look(Date.now());
    for (const run of sweep.runs) tellChange(run, told, options.json === true);
    await standardOutput.drained();
    if (!isAnybodyAtWork(sweep)) {
      if (options.json !== true)
        standardOutput.print(`${countStandings(sweep.runs.map(({ standing }) => standing))}\n`);
      return;
    }
    await sleep(POLL_MILLISECONDS);
  }
}

function tellChange(run: WatchedRun, told: Map<string, string>, json: boolean): void {
  const news = `${run.standing} ${run.k?.value ?? ""}`;
  const isNews = told.get(run.id) !== news && (run.standing !== "pending" || told.has(run.id));
  told.set(run.id, news);
  if (!isNews) return;
  const line = json ? JSON.stringify(run) : `${nameOfRun(run)}: ${describeWatchedRun(run)}`;
  standardOutput.print(`${line}\n`);
}

function isAnybodyAtWork({ runs }: WatchedSweep): boolean {
  return runs.some(({ standing }) => standing === "running");
}
