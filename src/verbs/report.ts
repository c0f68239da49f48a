import { resolve } from "node:path";
import type { Command } from "commander";
import { standardError, standardOutput } from "../output.js";
import type { Told } from "../report/report-on.js";
import { formatCount, shortPath } from "../words/format.js";

interface ReportVerbOptions {
  readonly out?: string;
  readonly watch?: true;
  readonly figures: boolean;
  readonly whatIf?: string[];
}

export function register(program: Command): void {
  program
    .command("report")
    .description("A page, figures and their numbers from journals alone: one HTML file to open, or to send")
    .argument("<folder...>", "run folders, folders that hold them, or sweeps")
    .option("--out <folder>", "where to write (default: report/ in the folder that was named, or here for several)")
    .option("--no-figures", "the page alone, without the files of its figures")
    .option("--watch", "write the page again while runs go on, until all have ended")
    .option(
      "--what-if <rule...>",
      "k that other rules would have found, for example tau=3,8 epsilon=0.01,0.02 (mode=max for what a script recorded)",
    )
    .action(async (named: string[], options: ReportVerbOptions) => {
      // What draws is large, and no other verb needs it.
      const { reportOn } = await import("../report/report-on.js");
      const { defaultOut } = await import("../report/find-runs.js");
      const out = options.out === undefined ? defaultOut(named, process.cwd()) : resolve(options.out);
      const { parseWhatIf } = await import("../report/parse-what-if.js");
      const whatIf = options.whatIf === undefined ? null : parseWhatIf(options.whatIf);
      const watches = options.watch === true;
      await reportOn(named, out, { draws: options.figures, watches, whatIf, tell: tellReport });
    });
}

/** The page that was written, on stdout; what was left out or left alone, on stderr. */
export function tellReport({ page, figures, tables, kept, goesOn, unread }: Told): void {
  for (const { folder, why } of unread) standardError.print(`note: \`${shortPath(folder)}\` is left out: ${why}\n`);
  for (const path of kept) standardError.print(`note: \`${shortPath(path)}\` was changed by hand and stays as it is\n`);
  const counts = [
    figures === 0 ? "" : formatCount(figures, "figure"),
    tables === 0 ? "" : formatCount(tables, "table"),
  ];
  const beside = counts.filter(Boolean).join(" and ");
  const ending = goesOn ? "; it follows the runs until they end" : "";
  standardOutput.print(`${shortPath(page)}${beside === "" ? "" : `, with ${beside} beside it`}${ending}\n`);
}
