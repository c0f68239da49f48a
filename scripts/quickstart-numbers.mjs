// Runs the quickstart with several seeds and prints the tables of docs/results.md.
//
//   npm run build && node scripts/quickstart-numbers.mjs runs/quickstart-numbers 0 1 2
//
// A seed whose run has finished in the folder is not run again, so an interrupted measurement goes on where it stopped.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readJournal } from "../dist/journal/reader.js";

const [folder, ...seeds] = process.argv.slice(2);
if (folder === undefined || seeds.length === 0) {
  process.stderr.write(
    "error: name a folder and at least one seed\n\nhint: node scripts/quickstart-numbers.mjs FOLDER 0 1 2\n",
  );
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const runs = [];
for (const seed of seeds) {
  const runFolder = join(folder, `seed-${seed}`);
  if (!existsSync(join(runFolder, "results.json"))) await runSeed(runFolder, seed);
  runs.push(await readRun(runFolder, seed));
}
printTables(runs);

/** Starts the run as a user does, and notes when its first update could begin. */
async function runSeed(runFolder, seed) {
  const began = performance.now();
  const args = ["dist/cli.js", "run", "quickstart", `seed=${seed}`, "--json", "--run-dir", runFolder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let startSeconds = null;
  for await (const line of createInterface({ input: child.stdout })) {
    const { event } = JSON.parse(line);
    if (event.type === "worker/reachedBoundary") startSeconds ??= (performance.now() - began) / 1000;
    if (event.type === "worker/reachedBoundary" && event.body.update % 250 === 0)
      process.stderr.write(`seed ${seed}: update ${event.body.update}\n`);
  }
  writeFileSync(join(runFolder, "start-seconds.json"), `${startSeconds}\n`);
}

async function readRun(runFolder, seed) {
  const results = JSON.parse(readFileSync(join(runFolder, "results.json"), "utf8"));
  const startSeconds = JSON.parse(readFileSync(join(runFolder, "start-seconds.json"), "utf8"));
  const { records } = await readJournal(runFolder);
  // A boundary's round trip is waited for after it was reported, so the next report holds it; the first holds `ready`.
  const waits = records.flatMap(({ event }) =>
    event.type === "worker/reachedBoundary" ? [event.body.seconds.wait * 1000] : [],
  );
  return { seed, results, startSeconds, roundTrips: waits.slice(1).sort((a, b) => a - b) };
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function printTables(measured) {
  const percent = (share) => (100 * share).toFixed(2);
  const rows = measured.map(({ seed, results: r }) => [
    seed,
    `${r.k.value} (${r.k.source})`,
    r.k.k_offline ?? "-",
    percent(r.in_dist.accuracy),
    percent(r.ood.mean),
    r.weights_sha256.slice(0, 16),
  ]);
  printTable(["seed", "k", "k offline", "in-dist %", "OOD mean %", "weights_sha256"], rows);
  const times = measured.map(({ seed, results: r, startSeconds, roundTrips }) => [
    seed,
    r.wall_seconds.toFixed(1),
    startSeconds.toFixed(1),
    r.train_seconds.toFixed(1),
    `${r.probe_seconds.toFixed(2)} (${percent(r.probe_seconds / r.train_seconds)} %)`,
    `${r.controller_wait_seconds.toFixed(3)} (${percent(r.controller_wait_seconds / r.wall_seconds)} %)`,
    r.evaluate_seconds.toFixed(1),
    `${quantile(roundTrips, 0.5).toFixed(2)} / ${quantile(roundTrips, 0.99).toFixed(2)}`,
  ]);
  const head = ["seed", "wall s", "start to first update s", "training s", "probes s (of training)"];
  printTable([...head, "controller wait s (of wall)", "evaluation s", "round trip ms, median / p99"], times);
  const manifest = JSON.parse(readFileSync(join(folder, `seed-${measured[0].seed}`, "manifest.json"), "utf8"));
  const software = Object.entries(manifest.software).map(([name, version]) => `${name} ${version}`);
  process.stdout.write(`\nHost: ${cpus().length} cores; ${software.join(", ")}; Node ${manifest.node}.\n`);
}

function printTable(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  process.stdout.write(`\n${line(head)}${line(head.map(() => "---"))}${rows.map(line).join("")}`);
}
