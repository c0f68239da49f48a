import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { standardError, standardOutput } from "../output.js";
import type { UnreadRun } from "../report/run-cache.js";
import type { WrittenReport } from "../report/write-report.js";
import { formatCount, shortPath } from "../words/format.js";

interface ReportOptions {
  readonly out?: string;
  readonly watch?: true;
  readonly figures: boolean;
}

export function register(program: Command): void {
  program
    .command("report")
    .description("A page, figures and their numbers from journals alone: one HTML file to open, or to send")
    .argument("<folder...>", "run folders, or folders that hold them")
    .option("--out <folder>", "where to write (default: report/ in the folder that was named, or here for several)")
    .option("--no-figures", "the page alone, without the files of its figures")
    .option("--watch", "write the page again while runs go on, until all have ended")
    .action(async (named: string[], options: ReportOptions) => {
      // What draws is large, and no other verb needs it.
      const { findRuns, defaultOut } = await import("../report/find-runs.js");
      findRuns(named);
      const out = options.out === undefined ? defaultOut(named, process.cwd()) : resolve(options.out);
      await report(named, out, options);
    });
}

/** Between two looks at the journals, and between two loadings of an open page. */
const POLL_MILLISECONDS = 2000;
const REFRESH_SECONDS = 15;

async function report(named: readonly string[], out: string, options: ReportOptions): Promise<void> {
  const { findRuns } = await import("../report/find-runs.js");
  const { RunCache, journalVersion } = await import("../report/run-cache.js");
  const { writeReport } = await import("../report/write-report.js");
  const cache = new RunCache();
  let before = "";
  for (;;) {
    const folders = findRuns(named);
    const version = folders.map((folder) => `${folder}:${journalVersion(folder)}`).join();
    const read = await cache.read(folders);
    const goesOn = options.watch === true && read.runs.some(({ status }) => status === "running");
    if (version !== before || !goesOn) {
      const refresh = goesOn ? REFRESH_SECONDS : null;
      const written = new Date().toISOString();
      const report = await writeReport(read, out, { written, draws: options.figures && !goesOn, refresh });
      if (before === "" || !goesOn) tell(report, read.unread, goesOn);
    }
    if (!goesOn) return;
    before = version;
    await sleep(POLL_MILLISECONDS);
  }
}

function tell({ page, figures, kept }: WrittenReport, unread: readonly UnreadRun[], goesOn: boolean): void {
  for (const { folder, why } of unread) standardError.print(`note: \`${shortPath(folder)}\` is left out: ${why}\n`);
  for (const path of kept) standardError.print(`note: \`${shortPath(path)}\` was changed by hand and stays as it is\n`);
  const beside = figures === 0 ? "" : `, with ${formatCount(figures, "figure")} beside it`;
  standardOutput.print(`${shortPath(page)}${beside}${goesOn ? "; it follows the runs until they end" : ""}\n`);
}
