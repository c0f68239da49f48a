import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import type { Command } from "commander";
import { writeRequestFile } from "../inbox/write.js";
import { REQUEST_VERBS, type OperatorRequest, type RequestVerb } from "../core/events.js";
import { UserError } from "../errors.js";
import { liveHolder } from "../journal/lock.js";
import { scanJournal } from "../journal/reader.js";
import { replayFolder } from "../journal/replay.js";
import { standardOutput } from "../output.js";
import { awaitAnswer } from "../inbox/await-answer.js";

interface ControlOptions {
  readonly at?: string;
}

export function register(program: Command): void {
  program
    .command("control")
    .description("Give a running run an operator's request; returns when it took effect")
    .argument("<run folder>")
    .argument("<request>", REQUEST_VERBS.join(", "))
    .argument("[factor]", "for set-lr: factor on the scheduled learning rate")
    .option("--at <update>", "let it take effect before this update instead of now")
    .action(async (folder: string, verb: string, factor: string | undefined, options: ControlOptions) => {
      const runFolder = resolve(folder);
      const request = parseRequest(verb, factor, options.at);
      let term = 1;
      await scanJournal(runFolder, (records) => (term = records.at(-1)?.term ?? term));
      if (liveHolder(runFolder) === null) throw await noController(folder, runFolder);
      const who = `${userInfo().username}@${hostname()}`;
      const id = writeRequestFile(runFolder, { term, who, request });
      standardOutput.print(`${await awaitAnswer(runFolder, id, request)}\n`);
    });
}

async function noController(folder: string, runFolder: string): Promise<UserError> {
  const finished = (await replayFolder(runFolder)).state.end?.outcome === "finished";
  return new UserError({
    code: "no_controller",
    message: finished ? `\`${folder}\` has finished` : `no controller is running \`${folder}\``,
    hint: finished ? "start another run with `npx thawline run`" : `go on with it by \`npx thawline resume ${folder}\``,
  });
}

function parseRequest(verb: string, factor: string | undefined, at: string | undefined): OperatorRequest {
  if (!REQUEST_VERBS.includes(verb as RequestVerb)) {
    throw wrong(`there is no request \`${verb}\``, `choose one of ${REQUEST_VERBS.join(", ")}`);
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
  return { verb: verb as Exclude<RequestVerb, "set-lr">, ...when };
}

function wrong(message: string, hint: string): UserError {
  return new UserError({ code: "invalid_request", message, hint });
}
