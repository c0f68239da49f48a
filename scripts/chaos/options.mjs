// What `npm run chaos` is asked for.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { MODELS } from "./models.mjs";

const HELP = `Kills small real runs at random moments and at places with names, and compares each with one that was not killed.

  npm run chaos -- [--kills N] [--seed S] [--only vision|text|script] [--run I] [--jobs J] [--keep]

  --kills N   kills in all (20)
  --seed S    from which all kills are drawn (drawn, and printed)
  --only M    runs of one model: vision, text or script
  --run I     the one run with this number of the seed, with all its kills
  --jobs J    runs at a time (${Math.min(2, availableParallelism())} here)
  --keep      keep the folders of runs that are the same as well
  --help      this text

Killed by SIGKILL are worker, controller and guard (the process that ends the worker of a dead controller), alone and
together; worker and controller are also stopped and continued (SIGSTOP, SIGCONT). After each run weights, series,
decisions, scores and best weights must be the undisturbed run's, bit for bit; its journal must replay; nobody may
live 5 s after the controller, and no file may be left over. Exit code 0 only if all of that held for every run.
`;

export class BadOption extends Error {}

/** `{ kills, seed, only, run, jobs, keep }`, or null where help was printed. Throws BadOption. */
export function readOptions(args) {
  const values = parse(args);
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  if (values.only !== undefined && !(values.only in MODELS)) {
    throw new BadOption(`\`--only ${values.only}\` is none of ${Object.keys(MODELS).join(", ")}`);
  }
  return {
    kills: wholeNumber("kills", values.kills ?? "20", 1),
    seed: wholeNumber("seed", values.seed ?? String(Date.now() % 1_000_000), 0),
    run: values.run === undefined ? null : wholeNumber("run", values.run, 0),
    jobs: wholeNumber("jobs", values.jobs ?? String(Math.min(2, availableParallelism())), 1),
    only: values.only ?? null,
    keep: values.keep ?? false,
  };
}

function parse(args) {
  const text = { type: "string" };
  const flag = { type: "boolean" };
  const options = { kills: text, seed: text, only: text, run: text, jobs: text, keep: flag, help: flag };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new BadOption(error.message);
  }
}

function wholeNumber(name, value, least) {
  if (/^\d{1,9}$/.test(value) && Number(value) >= least) return Number(value);
  throw new BadOption(`\`--${name} ${value}\`: expected a whole number of at least ${least}`);
}
