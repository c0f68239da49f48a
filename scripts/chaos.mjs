// Kills small real runs and compares each with one that was not killed: `npm run chaos -- --help`.
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJournal } from "../dist/journal/reader.js";
import { DisturbedRun } from "./chaos/disturbed-run.mjs";
import { evidenceAt, problemsOf } from "./chaos/judgement.mjs";
import { filesOf } from "./chaos/leftovers.mjs";
import { MODELS } from "./chaos/models.mjs";
import { BadOption, readOptions } from "./chaos/options.mjs";
import { planRun } from "./chaos/plan.mjs";
import { CLI, foldersOf } from "./chaos/program.mjs";
import { killsOf, tellEnd, tellRun } from "./chaos/report.mjs";

/** From the command to the first record, about: the rest of a start is in the journal. */
const BEFORE_FIRST_RECORD_SECONDS = 0.6;

async function chaos(options) {
  const work = realpathSync(mkdtempSync(join(tmpdir(), "thawline-chaos-")));
  const began = performance.now();
  process.stdout.write(`seed ${options.seed}, in ${work}\n`);
  const models = options.only === null ? MODELS : { [options.only]: MODELS[options.only] };
  const references = await prepare(neededOf(models, options), work, options.jobs);
  const runs = [];
  const queue = plans(options, models, runs);
  await inParallel(options.jobs, async () => {
    for (let plan; (plan = queue.next()) !== null;) {
      const run = await disturb(plan, work, references[plan.model], models[plan.model]);
      queue.done(plan);
      runs.push(run);
      tellRun(run, options);
      if (run.problems.length === 0 && !options.keep) rmSync(run.folders.home, { recursive: true, force: true });
    }
  });
  tellEnd(runs, { seconds: (performance.now() - began) / 1000, seed: options.seed });
  const allTheSame = runs.every(({ problems }) => problems.length === 0);
  if (allTheSame && !options.keep) rmSync(work, { recursive: true, force: true });
  return allTheSame ? 0 : 1;
}

/** Of a run by itself its own model. */
function neededOf(models, { run, seed }) {
  if (run === null) return models;
  const { model } = planRun(seed, run, models);
  return { [model]: models[model] };
}

/** Plans one after another until there were as many kills as were asked for, those of runs under way included. */
function plans({ kills, seed, run }, models, runs) {
  const underWay = new Set();
  let index = 0;
  const plannedKills = () => [...underWay].flatMap(({ hits }) => hits).filter(({ action }) => action === "kill").length;
  return {
    next: () => {
      if (run !== null) return index++ === 0 ? planRun(seed, run, models) : null;
      const left = kills - killsOf(runs) - plannedKills();
      if (left <= 0) return null;
      const plan = planRun(seed, index++, models, left);
      underWay.add(plan);
      return plan;
    },
    done: (plan) => underWay.delete(plan),
  };
}

/** One undisturbed run of each model: what all others have to be. */
async function prepare(models, work, jobs) {
  const references = {};
  const waiting = Object.entries(models);
  await inParallel(jobs, async () => {
    for (let entry; (entry = waiting.shift()) !== undefined;) {
      const [name, model] = entry;
      await model.prepare?.({ work });
      references[name] = await undisturbed(name, model, work);
    }
  });
  return references;
}

async function undisturbed(name, model, work) {
  const folders = foldersOf(work, `${name}-undisturbed`);
  const run = new DisturbedRun(folders, model, [], 0);
  const began = performance.now();
  await run.toTheEnd();
  if (run.problems.length > 0) throw new Error(`the undisturbed run of ${name} fails: ${run.problems.join("\n")}`);
  const reference = {
    evidence: await evidenceAt(folders),
    names: filesOf(folders.runFolder),
    startSeconds: await startSecondsOf(folders.runFolder),
  };
  const problems = await problemsOf(folders, reference);
  if (problems.length > 0) throw new Error(`the undisturbed run of ${name}: ${problems.join("\n")}`);
  const seconds = (performance.now() - began) / 1000;
  const facts = `${seconds.toFixed(0)} s, of which ${reference.startSeconds.toFixed(1)} s to start`;
  process.stdout.write(`undisturbed ${name}: ${facts}, weights ${reference.evidence.results.weights_sha256}\n`);
  return reference;
}

async function startSecondsOf(runFolder) {
  const { records } = await readJournal(runFolder);
  const prepared = records.find(({ event }) => event.type === "worker/prepared");
  return BEFORE_FIRST_RECORD_SECONDS + (Date.parse(prepared.at) - Date.parse(records[0].at)) / 1000;
}

async function disturb(plan, work, reference, model) {
  const folders = foldersOf(work, `run-${String(plan.index).padStart(3, "0")}`);
  const run = new DisturbedRun(folders, model, plan.hits, reference.startSeconds);
  const began = performance.now();
  await run.toTheEnd();
  const problems = [...run.problems, ...(await problemsOf(folders, reference))];
  const seconds = (performance.now() - began) / 1000;
  return { plan, folders, hits: run.hits, problems, orphanSeconds: run.orphanSeconds, seconds };
}

function inParallel(jobs, work) {
  return Promise.all(Array.from({ length: jobs }, work));
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options !== null) {
    if (!existsSync(CLI)) throw new BadOption("dist/cli.js is not built: `npm run build`");
    process.exitCode = await chaos(options);
  }
} catch (error) {
  process.stderr.write(`error: ${error instanceof BadOption ? error.message : error.stack}\n`);
  process.exitCode = 2;
}
