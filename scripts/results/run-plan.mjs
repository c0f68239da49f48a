// Makes the runs behind docs/results.md, one after the other; each ends as one file in docs/results/.
//
//   npm run build && node scripts/results/run-plan.mjs vision [--images FOLDER] [--frost FOLDER] [--gpu] [--only TEXT]
//                                                            [--commit]
//   npm run build && node scripts/results/run-plan.mjs text --xquad FOLDER [--only TEXT] [--commit]
//   npm run build && node scripts/results/run-plan.mjs signals --xquad FOLDER [--only TEXT] [--commit]
//
// A run whose file is there is skipped; one that was interrupted is resumed. `--only` takes runs whose name contains
// TEXT; `--images` names a folder with CIFAR-10 as images (train/<class>/, test/<class>/), `--frost` one with the frost
// textures of CIFAR-10-C (docs/corruptions.md), `--xquad` one with xquad.<language>.json; `--gpu` takes the runs, too,
// that would be days of a CPU; `--commit` commits each file, and the tables of docs/results.md with it. Text runs need
// the encoder of `scripts/prepare-encoder.py`. Hours of two cores; several of these may work at the same time on
// different `--only`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../python.mjs";
import { commitAt, noteCommit } from "./commits.mjs";
import { commandOf, whyLeftOut } from "./run-command.mjs";
import { summarise } from "./summary.mjs";

const RESULTS = join(ROOT, "docs", "results");
const RUN_FOLDERS = join(ROOT, "runs", "results");
const PLANS = ["vision", "text", "signals"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: "string" },
    images: { type: "string" },
    frost: { type: "string" },
    xquad: { type: "string" },
    commit: { type: "boolean" },
    gpu: { type: "boolean" },
  },
});
const [plan] = positionals;
if (!PLANS.includes(plan)) {
  process.stderr.write(`error: name one plan of ${PLANS.join(", ")}\n`);
  process.exit(2);
}

const { RUNS } = await import(`./${plan}-plan.mjs`);
const missing = RUNS.filter((run) => run.id.includes(values.only ?? "") && !existsSync(fileOf(run)));
mkdirSync(RESULTS, { recursive: true });
for (const [index, run] of missing.entries()) {
  const why = whyLeftOut(run, values);
  if (why !== null) {
    process.stderr.write(`${run.id}: left out; ${why}\n`);
    continue;
  }
  process.stderr.write(`${run.id} (${index + 1} of ${missing.length})\n`);
  if (!train(run)) continue;
  const summary = await summarise(run, join(RUN_FOLDERS, run.id));
  writeFileSync(fileOf(run), `${JSON.stringify(summary, null, 1)}\n`);
  if (values.commit) commit(run);
}

function fileOf(run) {
  return join(RESULTS, `${run.id}.json`);
}

/** Starts the run, or goes on with it; whether it finished. */
function train(run) {
  const folder = join(RUN_FOLDERS, run.id);
  if (existsSync(join(folder, "results.json"))) return true;
  const command = commandOf(run, folder, values, existsSync(join(folder, "journal")));
  mkdirSync(RUN_FOLDERS, { recursive: true });
  noteCommit(folder, commitAt(ROOT));
  const { status } = spawnSync(process.execPath, [join(ROOT, "dist", "cli.js"), ...command], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: ROOT,
  });
  if (status !== 0) process.stderr.write(`${run.id}: ended with ${status}; see ${folder}\n`);
  return status === 0;
}

function commit(run) {
  spawnSync(process.execPath, [join(ROOT, "scripts", "results", "tables.mjs")], { cwd: ROOT, stdio: "inherit" });
  const files = [fileOf(run), join(ROOT, "docs", "results.md")];
  const git = (...args) => spawnSync("git", args, { cwd: ROOT, stdio: "inherit" });
  git("add", ...files);
  git("commit", "--quiet", "--message", `Result of ${run.id}`, "--", ...files);
}
