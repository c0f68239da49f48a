#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { colorEnabled } from "./ui/terminal.js";
import * as attach from "./commands/attach.js";
import * as config from "./commands/config.js";
import * as control from "./commands/control.js";
import * as controller from "./commands/controller.js";
import * as doctor from "./commands/doctor.js";
import * as list from "./commands/list.js";
import * as prefetch from "./commands/prefetch.js";
import * as presets from "./commands/presets.js";
import * as replay from "./commands/replay.js";
import * as resume from "./commands/resume.js";
import * as run from "./commands/run.js";
import * as watch from "./commands/watch.js";
import { exitCodeOf, formatError, UserError } from "./errors.js";
import { packageVersion } from "./package.js";

/** In the order in which `--help` lists them. */
const COMMANDS = [run, attach, watch, resume, control, replay, list, presets, config, prefetch, doctor, controller];

function createProgram(): Command {
  const program = new Command("thawline")
    .description("Watches the early period of a training run and acts on it when its signals stabilize")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureHelp({ sortSubcommands: false })
    // Commander would print and exit by itself; here every error takes the way of `main`.
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const command of COMMANDS) command.register(program);
  return program.addHelpText(
    "after",
    "\nExit codes: 0 done, 1 the run failed, 2 something to change, 3 replay diverged, 130 interrupted",
  );
}

/** Commander's own errors in our grammar; null where it only printed help or the version. */
function asUserError(error: CommanderError): UserError | null {
  if (error.exitCode === 0) return null;
  const hint = "`npx thawline --help` lists the commands";
  if (error.code === "commander.help")
    return new UserError({ code: "missing_command", message: "a command is missing", hint });
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const guess = /Did you mean (?:one of )?(.*)\?/.exec(rest.join(" "))?.[1];
  return new UserError({
    code: error.code.replace("commander.", "").replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    message: first.replaceAll("'", "`").replace(". Expected", ": expected").replace(/\.$/, ""),
    hint: guess === undefined ? hint : `did you mean \`${guess}\`?`,
  });
}

/** Runs one command; its own exit code, if it has one, is in `process.exitCode`. */
async function main(args: readonly string[]): Promise<void> {
  try {
    const program = createProgram();
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? asUserError(thrown) : thrown;
    if (error === null) return;
    const color = colorEnabled(process.stderr, process.env);
    process.stderr.write(`${formatError(error, { color })}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

// `npx thawline presets | head -1` closes the pipe early, which is no error of ours. A run listens itself, and trains on.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (process.stdout.listenerCount("error") === 1) process.exit();
});

await main(process.argv.slice(2));
// Explicit, so that a socket or timer left open by a fault cannot keep a finished command alive.
process.exit();
