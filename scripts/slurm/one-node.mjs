// A real Slurm on this one machine, for tests: `node scripts/slurm/one-node.mjs up FOLDER`, then `down FOLDER`.
//
// All it makes is in FOLDER (configuration, key, sockets, state, logs), and nothing of the system's own Slurm or munge is
// touched, so that several can run side by side. As root, on a Debian with the packages that `install` gets. `up` prints
// the variables to set; both can be called again. `down` ends the jobs that are left and their processes.
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"];
const PROGRAMS = ["slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "munged"];
const LOOK_MILLISECONDS = 100;
/** Looks, so that a machine that is busy gets more time. */
const MOST_LOOKS = 1200;

/** Why there can be no Slurm here, in a sentence; null where there can. */
export function whyNoSlurm() {
  if (process.getuid?.() !== 0) return "a Slurm of our own needs root";
  const missing = PROGRAMS.filter((program) => pathOf(program) === null);
  if (missing.length === 0) return null;
  return `${missing.join(", ")} not installed (\`node scripts/slurm/one-node.mjs install\` gets ${PACKAGES.join(", ")} on Debian)`;
}

/** Gets the packages on a Debian, without starting what they would start. */
export function install() {
  if (whyNoSlurm() === null) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", ["update", "-qq"], { env, stdio: "inherit" });
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...PACKAGES], { env, stdio: "inherit" });
}

/**
 * Starts it, where it is not up.
 *
 * @param {string} folder made where there is none
 * @param {{ cpus?: number, settings?: Record<string, string | number> }} [options] what slurm.conf says besides
 * @returns {Promise<Record<string, string>>} variables for whoever uses it
 */
export async function up(folder, { cpus = 2, settings = {} } = {}) {
  const reason = whyNoSlurm();
  if (reason !== null) throw new Error(reason);
  const places = placesIn(folder);
  if (!existsSync(places.conf)) await prepare(places, cpus, settings);
  if (!isAlive(places.munged)) {
    run("munged", [
      // Its socket may be in a folder that is root's alone: root alone uses it.
      "--force",
      `--socket=${places.munge}`,
      `--key-file=${places.key}`,
      `--pid-file=${places.munged}`,
      `--log-file=${join(places.folder, "munged.log")}`,
      `--seed-file=${join(places.folder, "munged.seed")}`,
    ]);
  }
  const env = { SLURM_CONF: places.conf };
  if (!isAlive(places.slurmctld)) run("slurmctld", [], env);
  if (!isAlive(places.slurmd)) run("slurmd", [], env);
  await until("the node is idle", () => /^(idle|mix|alloc)/m.test(ask("sinfo", ["-h", "-o", "%T"], env)));
  return env;
}

/** Ends jobs, daemons and what is left of them, and removes the folder. Nothing happens where there is none. */
export async function down(folder) {
  const places = placesIn(folder);
  const env = { SLURM_CONF: places.conf };
  if (isAlive(places.slurmctld)) {
    ask("scancel", ["--full", `--user=${process.getuid()}`], env);
    ask("scancel", ["--signal=KILL", `--user=${process.getuid()}`], env);
    await until("no job is left", () => ask("squeue", ["-h", "-a"], env).trim() === "");
  }
  for (const pidFile of [places.slurmd, places.slurmctld, places.munged]) await end(pidOf(pidFile));
  for (const pid of processesOf(places.conf)) await end(pid, "SIGKILL");
  rmSync(places.folder, { recursive: true, force: true });
}

/** Live processes that were started by this Slurm or with its variables: jobs that are left, and steps of theirs. */
export function processesOf(conf) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`SLURM_CONF=${conf}`) && isRunning(pid));
}

function placesIn(given) {
  const folder = resolve(given);
  const inside = (name) => join(folder, name);
  return {
    folder,
    conf: inside("slurm.conf"),
    munge: inside("munge.socket"),
    key: inside("munge.key"),
    munged: inside("munged.pid"),
    slurmctld: inside("slurmctld.pid"),
    slurmd: inside("slurmd.pid"),
  };
}

async function prepare(places, cpus, settings) {
  for (const name of ["", "state", "spool"]) mkdirSync(join(places.folder, name), { recursive: true, mode: 0o755 });
  writeFileSync(places.key, randomBytes(1024), { mode: 0o400 });
  const [controllerPort, nodePort] = await freePorts(2);
  const host = hostname().split(".")[0];
  const lines = {
    ClusterName: "onenode",
    SlurmctldHost: `${host}(127.0.0.1)`,
    SlurmctldPort: controllerPort,
    SlurmdPort: nodePort,
    SlurmUser: "root",
    AuthType: "auth/munge",
    AuthInfo: `socket=${places.munge}`,
    ProctrackType: "proctrack/linuxproc",
    TaskPlugin: "task/none",
    SelectType: "select/cons_tres",
    SelectTypeParameters: "CR_CPU",
    // More than the machine has, where a test wants more: its jobs wait most of their time.
    SlurmdParameters: "config_overrides",
    StateSaveLocation: join(places.folder, "state"),
    SlurmdSpoolDir: join(places.folder, "spool"),
    SlurmctldPidFile: places.slurmctld,
    SlurmdPidFile: places.slurmd,
    SlurmctldLogFile: join(places.folder, "slurmctld.log"),
    SlurmdLogFile: join(places.folder, "slurmd.log"),
    MailProg: "/bin/true",
    KillWait: 5,
    ReturnToService: 2,
    JobRequeue: 1,
    ...settings,
  };
  const text = [
    ...Object.entries(lines).map(([key, value]) => `${key}=${value}`),
    `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cpus} State=UNKNOWN`,
    `PartitionName=main Nodes=${host} Default=YES State=UP`,
    "",
  ].join("\n");
  writeFileSync(places.conf, text);
  chmodSync(places.conf, 0o644);
}

/** Ports that nobody listens at now. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

async function end(pid, signal = "SIGTERM") {
  if (pid === null || !isRunning(pid)) return;
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
  let looks = 0;
  await until(`process ${pid} has ended`, () => {
    if ((looks += 1) === MOST_LOOKS / 4) process.kill(pid, "SIGKILL");
    return !isRunning(pid);
  });
}

async function until(what, isSo) {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    if (isSo()) return;
    await sleep(LOOK_MILLISECONDS);
  }
  throw new Error(`waited in vain until ${what}`);
}

function isAlive(pidFile) {
  const pid = pidOf(pidFile);
  return pid !== null && isRunning(pid);
}

function pidOf(pidFile) {
  const text = existsSync(pidFile) ? readFileSync(pidFile, "utf8").trim() : "";
  return /^\d+$/.test(text) ? Number(text) : null;
}

function isRunning(pid) {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
  } catch {
    return [];
  }
}

function pathOf(program) {
  const folders = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`.split(":");
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}

function run(program, options, env = {}) {
  execFileSync(pathOf(program), options, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
}

/** What it prints, also where it fails: whoever asks looks again. */
function ask(program, options, env) {
  return spawnSync(pathOf(program), options, { env: { ...process.env, ...env }, encoding: "utf8" }).stdout ?? "";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [verb, folder] = process.argv.slice(2);
  if (verb === "install") install();
  else if (verb === "up" && folder !== undefined) {
    for (const [name, value] of Object.entries(await up(folder))) console.log(`export ${name}=${value}`);
  } else if (verb === "down" && folder !== undefined) await down(folder);
  else {
    console.error("usage: node scripts/slurm/one-node.mjs install | up FOLDER | down FOLDER");
    process.exitCode = 2;
  }
}
