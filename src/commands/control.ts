import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import type { Command } from "commander";
import { writeControlFile } from "../control/write.js";
import type { OperatorCommand } from "../core/events.js";
import { UserError } from "../errors.js";
import { liveHolder } from "../journal/lock.js";
import type { JournalRecord } from "../journal/format.js";
import { readJournal } from "../journal/reader.js";
import { replayJournal } from "../journal/replay.js";
import { awaitAnswer } from "./await-answer.js";

const VERBS = ["pause", "continue", "unfreeze", "set-lr", "evaluate", "checkpoint", "stop"] as const;
type Verb = (typeof VERBS)[number];

interface ControlOptions {
  readonly at?: string;
}

export function register(program: Command): void {
  program
    .command("control")
    .description("Give a running run an operator's command; returns when it took effect")
    .argument("<run folder>")
    .argument("<command>", VERBS.join(", "))
    .argument("[factor]", "for set-lr: factor on the scheduled learning rate")
    .option("--at <update>", "let it take effect before this update instead of now")
    .action(async (folder: string, verb: string, factor: string | undefined, options: ControlOptions) => {
      const runFolder = resolve(folder);
      const command = parseCommand(verb, factor, options.at);
      const { records } = await readJournal(runFolder);
      if (liveHolder(runFolder) === null) throw noController(folder, records);
      const who = `${userInfo().username}@${hostname()}`;
      const id = writeControlFile(runFolder, { epoch: records.at(-1)?.epoch ?? 1, who, command });
      process.stdout.write(`${await awaitAnswer(runFolder, id, command)}\n`);
    });
}

function noController(folder: string, records: readonly JournalRecord[]): UserError {
  const finished = replayJournal(records).end?.outcome === "finished";
  return new UserError({
    code: "no_controller",
    message: finished ? `\`${folder}\` has finished` : `no controller is running \`${folder}\``,
    hint: finished ? "start another run with `npx thawline run`" : `go on with it by \`npx thawline resume ${folder}\``,
  });
}

function parseCommand(verb: string, factor: string | undefined, at: string | undefined): OperatorCommand {
  if (!VERBS.includes(verb as Verb)) {
    throw wrong(`there is no command \`${verb}\``, `choose one of ${VERBS.join(", ")}`);
  }
  if (at !== undefined && !/^[1-9]\d*$/.test(at)) throw wrong("`--at` is not an update", "give a whole number from 1");
  const when = at === undefined ? {} : { at: Number(at) };
  if (verb === "set-lr") {
    if (factor === undefined || !(Number(factor) >= 0)) {
      throw wrong("`set-lr` needs a factor", "for example `npx thawline control RUN_DIR set-lr 0.5` halves the rate");
    }
    return { verb, factor: Number(factor), ...when };
  }
  if (factor !== undefined) throw wrong(`\`${verb}\` takes no factor`, "only set-lr does");
  return { verb: verb as Exclude<Verb, "set-lr">, ...when };
}

function wrong(message: string, hint: string): UserError {
  return new UserError({ code: "invalid_control_command", message, hint });
}
