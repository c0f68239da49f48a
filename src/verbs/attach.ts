import type { Command } from "commander";
import { loadAttachedConfig } from "../config/attached.js";
import { UserError } from "../errors.js";
import { chosenBy } from "../starting/chosen-config.js";
import { addDisplayOptions, dryRunOption } from "../starting/display-options.js";
import type { StartOptions } from "../starting/start-run.js";

interface AttachOptions extends StartOptions {
  readonly config?: string;
  readonly restart?: true;
}

export function register(program: Command): void {
  const attach = program
    .command("attach")
    .description("Put a training script of your own, which calls `thawline.attach`, under the controller")
    .usage("[options] [key=value...] -- COMMAND...")
    .argument("[words...]", "settings, for example probe.every=20; after `--`, the command that starts the script")
    .option("--config <file>", "YAML file with settings")
    .option("--run-dir <folder>", "folder of the run (default: runs/<script>-<UTC time>)")
    .option("--group-readable", "let your group read the run folder; without it nobody but you may")
    .addOption(
      dryRunOption(
        "start the script for a few updates, print what the signals would cost, and leave nothing of thawline; files that the script writes itself stay",
      ),
    )
    .option("--restart", "start the command again when its process dies; it goes on from its own checkpoint");
  addDisplayOptions(attach).action(async (words: string[], options: AttachOptions) => {
    const cwd = process.cwd();
    const { overrides, command } = separate(words, process.argv);
    const file = options.config ?? null;
    const script = { command, folder: cwd, restart: options.restart ?? false };
    const chosen = chosenBy((onLeftOut) =>
      loadAttachedConfig({ file, overrides, env: process.env, cwd, script, onLeftOut }),
    );
    if (options.dryRun) {
      const { dryRun } = await import("../starting/dry-run.js");
      await dryRun(chosen, options);
      return;
    }
    const { startRun } = await import("../starting/start-run.js");
    await startRun(chosen, cwd, options);
  });
}

/**
 * Settings stand before the first `--`, the command behind it. Commander hands over both in one list, without the mark.
 *
 * @throws UserError `missing_command`
 */
function separate(
  words: readonly string[],
  argv: readonly string[],
): { readonly overrides: readonly string[]; readonly command: [string, ...string[]] } {
  const mark = argv.indexOf("--");
  const [program, ...rest] = mark < 0 ? [] : argv.slice(mark + 1);
  if (program === undefined) {
    throw new UserError({
      code: "missing_command",
      message: "the command that starts your script is missing",
      hint: "write it after `--`, for example `npx thawline attach -- python train.py`",
    });
  }
  return { overrides: words.slice(0, words.length - rest.length - 1), command: [program, ...rest] };
}
