/**
 * Records a real run of each kind, small, and writes their journals into test/histories without a word of this machine.
 *
 *     npm run build && node scripts/record-histories.mjs VERSION [KIND...]
 *
 * The tests' Python packages must be there (`node scripts/bootstrap.mjs --with-tests`). No network is used.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeLine, encodeRecord, JOURNAL_FILE } from "../dist/journal/format.js";
import { projectPython, ROOT } from "./python.mjs";

const CLI = join(ROOT, "dist", "cli.js");
const FIXTURES = join(ROOT, "test", "fixtures");
const POLL_MILLISECONDS = 50;

/** On MNIST, which comes with the package. */
const VISION = [
  ...["run", "quickstart", "model.width=4", "data.max_train_examples=1024", "data.max_test_examples=100"],
  ...["train.updates=100", "train.batch_size=32", "probe.every=4", "probe.points=32", "intervention.epsilon=0.05"],
  ...["intervention.k_max=40", "checkpoint.every=30", "evaluate.ood=none", "supervision.restart_delay_seconds=0.05"],
];
const FIXED = [...VISION.filter((option) => !/^probe|epsilon|k_max/.test(option)), "intervention.k=30"];
const SWITCH = ["intervention.kind=learning_rate_switch", "intervention.before=0.3", "intervention.after=1"];

/** What there is of each kind, and how it comes about; each leaves a finished run in `folder`. */
const KINDS = {
  "vision-online": ({ folder }) => thawline([...VISION, "--run-dir", folder]),
  "vision-fixed": ({ folder }) => thawline([...FIXED, "--run-dir", folder]),
  "learning-rate-switch": ({ folder }) => thawline([...VISION, ...SWITCH, "--run-dir", folder]),
  "killed-and-resumed": async ({ folder }) => {
    await killed([...VISION, "--run-dir", folder], () => tells(folder, "worker/checkpointed"));
    await thawline(["resume", folder]);
  },
  "paused-and-continued": async ({ folder }) => {
    const run = thawline([...VISION, "--run-dir", folder]);
    await until(() => tells(folder, "worker/reachedBoundary"));
    await thawline(["control", folder, "pause"]);
    await thawline(["control", folder, "continue"]);
    await run;
  },
  text: async ({ folder, work }) => {
    await finished(projectPython(), [join(FIXTURES, "write_texts.py"), join(work, "texts")]);
    const data = ["data.path=./xquad", "data.languages=[en,de,zh]", "model.pretrained=./encoder", "device.threads=1"];
    const sizes = ["train.updates=40", "train.learning_rate=0.05", "probe.points=16", "intervention.k_max=30"];
    await thawline(["run", "xquad-small", ...data, ...sizes, "--run-dir", folder], join(work, "texts"));
  },
  "attached-script": ({ folder }) => {
    const script = [projectPython(), join(FIXTURES, "scripts", "plain_script.py"), "--updates", "80"];
    const settings = ["probe.every=2", "intervention.epsilon=0.05", "intervention.k_max=50"];
    return thawline(["attach", ...settings, "--run-dir", folder, "--", ...script]);
  },
};

/** Commands that end with the run say nothing but errors. */
function thawline(args, cwd = ROOT) {
  const [verb] = args;
  const dashes = args.includes("--") ? args.indexOf("--") : args.length;
  const quiet = verb === "control" ? [] : ["--headless"];
  return finished(process.execPath, [CLI, ...args.slice(0, dashes), ...quiet, ...args.slice(dashes)], cwd);
}

function start(command, args, cwd) {
  return spawn(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal ?? code));
  });
}

async function finished(command, args, cwd = ROOT) {
  const end = await ended(start(command, args, cwd));
  if (end !== 0) throw new Error(`\`${[command, ...args].join(" ")}\` ended with ${end}`);
}

/** The controller dies by SIGKILL as soon as `reached` holds. */
async function killed(args, reached) {
  const child = start(process.execPath, [CLI, ...args, "--headless"], ROOT);
  const end = ended(child);
  await until(() => reached() || child.exitCode !== null);
  child.kill("SIGKILL");
  if ((await end) !== "SIGKILL") throw new Error("the run ended before it could be killed");
}

async function until(reached) {
  while (!reached()) await sleep(POLL_MILLISECONDS);
}

function tells(folder, type) {
  const journal = join(folder, JOURNAL_FILE);
  return existsSync(journal) && readFileSync(journal, "utf8").includes(`"type":"${type}"`);
}

/** What the journal holds of this machine, by what stands in its place; longer paths come before what they lie in. */
function replacements(work) {
  const virtual = dirname(dirname(projectPython()));
  const pairs = [
    [work, "/data"],
    [virtual, "/data/python"],
    ...(existsSync(virtual) ? [[realpathSync(virtual), "/data/python"]] : []),
    [ROOT.replace(/\/$/, ""), "/data/thawline"],
    [realpathSync(ROOT), "/data/thawline"],
    [realpathSync(join(ROOT, "node_modules")), "/data/thawline/node_modules"],
  ];
  return pairs.sort(([a], [b]) => b.length - a.length);
}

function withoutMachine(line, pairs) {
  const json = JSON.stringify(decodeLine(line, 0), (key, value) => {
    if (key === "host") return "host";
    if (key === "who") return "operator@host";
    if (typeof value !== "string") return value;
    return pairs.reduce((text, [path, placeholder]) => text.replaceAll(path, placeholder), value);
  });
  const name = hostname();
  if (json.includes(tmpdir()) || new RegExp(`\\b${name.replace(/\W/g, "\\$&")}\\b`).test(json)) {
    throw new Error(`a record still tells of this machine: ${json}`);
  }
  return encodeRecord(JSON.parse(json));
}

const [version, ...chosen] = process.argv.slice(2);
const unknown = chosen.filter((kind) => !Object.hasOwn(KINDS, kind));
if (version === undefined || unknown.length > 0) {
  process.stderr.write(`usage: record-histories.mjs VERSION [${Object.keys(KINDS).join("|")}]...\n`);
  process.exit(2);
}
const work = realpathSync(mkdtempSync(join(tmpdir(), "thawline-histories-")));
try {
  for (const kind of chosen.length > 0 ? chosen : Object.keys(KINDS)) {
    const began = performance.now();
    const folder = join(work, "runs", kind);
    mkdirSync(dirname(folder), { recursive: true });
    await KINDS[kind]({ folder, work });
    const lines = readFileSync(join(folder, JOURNAL_FILE), "utf8").trimEnd().split("\n");
    const history = lines.map((line) => withoutMachine(line, replacements(work))).join("");
    writeFileSync(join(ROOT, "test", "histories", `v${version}-${kind}.journal`), history);
    const facts = `${lines.length} records, ${Math.round(history.length / 1024)} KiB`;
    process.stdout.write(`${kind}: ${facts}, ${Math.round((performance.now() - began) / 1000)} s\n`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
