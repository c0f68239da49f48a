import type { Command } from "commander";
import { loadConfig } from "../config/layers/load.js";
import { checkPaths } from "../config/checks/paths.js";
import { chosenBy } from "../starting/chosen-config.js";
import { addDisplayOptions, dryRunOption } from "../starting/display-options.js";
import type { StartOptions } from "../starting/start-run.js";
import { UserError } from "../errors.js";
import { standardError } from "../output.js";
import { requireTrustedConfig } from "../trust/require-trust.js";

interface RunOptions extends StartOptions {
  readonly report?: true;
  readonly trust?: true;
}

export function register(program: Command): void {
  const run = program
    .command("run")
    .description("Train one run under the controller; a terminal gets the live view, a pipe one line an event")
    .argument("<preset or file>", "name of a preset, or path of a YAML file")
    .argument("[key=value...]", "settings that win over the file, for example train.learning_rate=0.1")
    .option("--run-dir <folder>", "folder of the run (default: runs/<name>-<UTC time>)")
    .option("--report", "end with a report of the run, in report/ of its folder")
    .option("--group-readable", "let your group read the run folder; without it nobody but you may")
    .addOption(
      dryRunOption("train a few updates in a temporary folder, print what the signals would cost, and leave nothing"),
    )
    .option("--trust", "run the model that the file names by import path, wherever the file and the model come from");
  addDisplayOptions(run).action(async (source: string, overrides: string[], options: RunOptions) => {
    const cwd = process.cwd();
    const { env } = process;
    let file: string | null = null;
    const onCodeFrom = (named: string): void => void (file = named);
    const chosen = chosenBy((onLeftOut) => loadConfig({ source, overrides, env, cwd, onLeftOut, onCodeFrom }));
    if (!options.trust) requireTrustedConfig(chosen.config, { file, cwd, env });
    checkPaths(chosen.config);
    const { withGivenWeights } = await import("../runs/given-weights.js");
    const settled = { ...chosen, config: await withGivenWeights(chosen.config) };
    if (options.dryRun) {
      const { dryRun } = await import("../starting/dry-run.js");
      await dryRun(settled, options);
      return;
    }
    const { startRun } = await import("../starting/start-run.js");
    const made: string[] = [];
    try {
      await startRun(settled, cwd, options, (runFolder) => made.push(runFolder));
    } finally {
      // A run that failed is to be looked at as well.
      if (options.report) for (const runFolder of made) await reportOnRun(runFolder);
    }
  });
}

/** What is wrong with the report is no fault of the run, whose end is told in any case. */
async function reportOnRun(runFolder: string): Promise<void> {
  const { reportOn } = await import("../report/report-on.js");
  const { defaultOut } = await import("../report/find-runs.js");
  const { tellReport } = await import("./report.js");
  try {
    await reportOn([runFolder], defaultOut([runFolder], runFolder), { draws: true, watches: false, tell: tellReport });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    standardError.print(`note: there is no report: ${error.message}; \`npx thawline report\` writes it\n`);
  }
}
