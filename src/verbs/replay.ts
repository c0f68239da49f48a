import { resolve } from "node:path";
import type { Command } from "commander";
import { detectorRule, ruleFor } from "../core/measured.js";
import type { State } from "../core/state.js";
import { isRecorded, SIGNALS, type Signal } from "../metrics.js";
import { UserError } from "../errors.js";
import { describeLostTail } from "../journal/lost-tail.js";
import { readHead } from "../journal/reader.js";
import {
  askWhatIf,
  Replay,
  replayFolder,
  replayJournal,
  requireSameCore,
  type ReplayedRun,
  type WhatIf,
  type WhatIfAnswer,
} from "../journal/replay.js";
import { standardError, standardOutput } from "../output.js";

interface ReplayOptions {
  readonly whatIf?: string;
  readonly json?: true;
}

export function register(program: Command): void {
  program
    .command("replay")
    .description(
      "Reduce a journal again and compare every decision and command; or ask what another detector would say",
    )
    .argument("<run folder>")
    .option(
      "--what-if <question>",
      "for example metric=fisher_trace,tau=8,epsilon=0.02 (each with the run's own default)",
    )
    .option("--json", "print a JSON object")
    .action(async (folder: string, options: ReplayOptions) => {
      const runFolder = resolve(folder);
      if (options.whatIf !== undefined) {
        const run = await replayFolder(runFolder);
        tellLost(run);
        const answer = askWhatIf(run.state, parseQuestion(options.whatIf, run.state));
        standardOutput.print(`${options.json ? JSON.stringify(answer) : describeAnswer(answer, run.state)}\n`);
        return;
      }
      requireSameCore(replayJournal((await readHead(runFolder)).slice(0, 1)));
      const run = await replayFolder(runFolder, new Replay(true));
      tellLost(run);
      const facts = { records: run.numRecords, commands: run.numCommands, k: run.state.interval?.k ?? null };
      const text = `${facts.records} records replayed, all ${facts.commands} commands are the same`;
      standardOutput.print(`${options.json ? JSON.stringify(facts) : text}\n`);
    });
}

function tellLost({ lost, numRecords }: ReplayedRun): void {
  if (lost !== null) standardError.print(`note: ${describeLostTail(lost, numRecords)}\n`);
}

/** @throws UserError `invalid_what_if` naming the part that is wrong */
function parseQuestion(text: string, state: State): WhatIf {
  const said: { metric?: string; tau?: number; epsilon?: number; mode?: "min" | "max" } = {};
  for (const part of text.split(",")) {
    const [key = "", value = ""] = part.split("=", 2);
    if (key === "metric" && (SIGNALS.includes(value as Signal) || isRecorded(value))) said.metric = value;
    else if (key === "tau" && /^\d+$/.test(value) && Number(value) >= 2) said.tau = Number(value);
    else if (key === "epsilon" && Number(value) > 0 && Number(value) < 1) said.epsilon = Number(value);
    else if (key === "mode" && (value === "min" || value === "max")) said.mode = value;
    else {
      throw new UserError({
        code: "invalid_what_if",
        message: `\`--what-if\` does not understand \`${part}\``,
        hint: `write metric=${SIGNALS.join("|")}|recorded:NAME, mode=min|max, tau=<integer of at least 2>, epsilon=<between 0 and 1>, joined by commas`,
      });
    }
  }
  const own = detectorRule(state.config);
  const metric = said.metric ?? own.signal;
  const { tau, epsilon, mode } = ruleFor(metric, state.config);
  const question = { metric, tau: said.tau ?? tau, epsilon: said.epsilon ?? epsilon };
  if (mode !== undefined) return { ...question, mode: said.mode ?? mode ?? "min" };
  if (said.mode === undefined) return question;
  throw new UserError({
    code: "invalid_what_if",
    message: `\`--what-if\` names \`mode=${said.mode}\`, but of \`${metric}\` no value is the better one`,
    hint: "leave `mode` out, or ask about `metric=recorded:NAME`",
  });
}

function describeAnswer(answer: WhatIfAnswer, state: State): string {
  const grid = answer.every === null ? `the ${answer.mode ?? "min"} better` : `every ${answer.every} updates`;
  const rule = `${answer.metric}, tau ${answer.tau}, epsilon ${answer.epsilon}, ${grid}, ${answer.points} points`;
  const online =
    answer.kOnline === null ? "would not have fired on what was recorded" : `would have been ${answer.kOnline}`;
  const { k, reason, flat } = answer.offline;
  const offline = k === null ? `none (${reason})` : `${k}${flat ? " (the signal is nearly flat)" : ""}`;
  const used = state.interval === null ? "none" : `${state.interval.k} (${state.interval.source})`;
  return [`with ${rule}:`, `  k online   ${online}`, `  k offline  ${offline}`, `  k used     ${used}`].join("\n");
}
