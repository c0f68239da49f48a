#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { colorEnabled } from "./ui/terminal.js";
import { exitCodeOf, formatError, UserError } from "./errors.js";
import { packageVersion } from "./package.js";
import { standardError, standardOutput } from "./output.js";

interface Verb {
  readonly register: (program: Command) => void;
}

/** In the order in which `--help` lists them. Loading all of them is most of what a short command takes. */
const VERBS: Readonly<Record<string, () => Promise<Verb>>> = {
  run: () => import("./verbs/run.js"),
  attach: () => import("./verbs/attach.js"),
  sweep: () => import("./verbs/sweep.js"),
  watch: () => import("./verbs/watch.js"),
  resume: () => import("./verbs/resume.js"),
  control: () => import("./verbs/control.js"),
  replay: () => import("./verbs/replay.js"),
  list: () => import("./verbs/list.js"),
  presets: () => import("./verbs/presets.js"),
  config: () => import("./verbs/config.js"),
  prefetch: () => import("./verbs/prefetch.js"),
  doctor: () => import("./verbs/doctor.js"),
  controller: () => import("./verbs/controller.js"),
};

/** The verb that the arguments begin with; all of them where they begin with none. */
async function loadVerbs([first = ""]: readonly string[]): Promise<readonly Verb[]> {
  const named = Object.hasOwn(VERBS, first) ? [VERBS[first]!] : Object.values(VERBS);
  return Promise.all(named.map((load) => load()));
}

function createProgram(verbs: readonly Verb[]): Command {
  const program = new Command("thawline")
    .description("Watches the early period of a training run and acts on it when its signals stabilize")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureHelp({ sortSubcommands: false })
    // Commander would print and exit by itself; here every error takes the way of `main`.
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeOut: (text) => standardOutput.print(text) });
  for (const verb of verbs) verb.register(program);
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
    const program = createProgram(await loadVerbs(args));
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? asUserError(thrown) : thrown;
    if (error !== null) tell(error);
  }
}

function tell(error: unknown): void {
  const color = colorEnabled(process.stderr, process.env);
  standardError.printStyled(`${formatError(error, { color })}\n`);
  process.exitCode = exitCodeOf(error);
}

/** Ends the process once all of its output is out; whoever does not want to wait for its reader can still end it. */
async function leave(): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeAllListeners(signal);
  await Promise.all([standardOutput.drained(), standardError.drained()]);
  // Explicit, so that a socket or timer left open by a fault cannot keep a finished command alive.
  process.exit();
}

// A run listens itself, and trains on.
standardOutput.whenGone(() => process.exit());
// A controller listens as well, and ends its worker before it goes.
process.on("uncaughtException", (error) => {
  if (process.listenerCount("uncaughtException") > 1) return;
  tell(error);
  void leave();
});

await main(process.argv.slice(2));
await leave();
