// Makes a checkout ready to run: node_modules, the build in dist/, and a Python environment in .venv/.
//
//   node scripts/bootstrap.mjs [--with-text] [--with-tests]
//
// `--with-text` adds what the text side needs (transformers, peft), `--with-tests` that and the tools of the tests.
//
// Plain Node without dependencies. Never asks; writes only into this folder; says what it does; silent when there is
// nothing to do. THAWLINE_PYTHON names an interpreter that is used as it is: checked, nothing is installed into it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { isRecent, OLDEST_PYTHON, projectPython, pythonVersion, ROOT } from "./python.mjs";
import { BUILD_INPUTS, BUILD_STAMP, digestOf, isCurrent, writeStamp } from "./stamps.mjs";
import { execute, step, StepError } from "./step.mjs";

const OLDEST_NODE = [20, 19];
const STAMP = ".thawline-stamp";
const PYTHONS = ["python3", "python3.13", "python3.12", "python3.11"];
const inRoot = (...path) => join(ROOT, ...path);

/** Each lock file, and which modules of python/modules.json show that it was installed. */
const MODULES_OF = {
  "requirements.lock": "worker",
  "requirements-text.lock": "text",
  "requirements-test.lock": "test",
};

async function bootstrap({ withText, withTests }) {
  checkNode();
  // A package from the registry has neither lock file nor sources: its dependencies and its build came with it.
  if (existsSync(inRoot("package-lock.json"))) await installNodeModules();
  if (existsSync(inRoot("src"))) await build();
  const locks = ["requirements.lock"];
  if (withText || withTests) locks.push("requirements-text.lock");
  if (withTests) locks.push("requirements-test.lock");
  if (process.env.THAWLINE_PYTHON) checkChosenPython(locks);
  else await installPython(locks);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new StepError(`thawline needs Node ${OLDEST_NODE.join(".")} or newer, and this is ${process.versions.node}`);
}

async function installNodeModules() {
  // npm ci empties node_modules first, and the stamp with it: an interrupted install has none.
  const stamp = inRoot("node_modules", STAMP);
  const digest = digestOf(ROOT, ["package-lock.json", ".npmrc"]);
  if (isCurrent(stamp, digest)) return;
  await step("Installing Node packages (npm ci)", async (report) => {
    // NODE_ENV=production would leave out the compiler.
    await execute("npm", ["ci", "--include=dev"], { cwd: ROOT, report, failure: "`npm ci` failed" });
    writeStamp(stamp, digest);
  });
}

async function build() {
  const stamp = inRoot(BUILD_STAMP);
  const digest = digestOf(ROOT, BUILD_INPUTS);
  if (isCurrent(stamp, digest)) return;
  await step("Building dist (tsc)", async (report) => {
    const tsc = inRoot("node_modules", "typescript", "bin", "tsc");
    const args = [tsc, "-p", "tsconfig.build.json"];
    await execute(process.execPath, args, { cwd: ROOT, report, failure: "the TypeScript sources do not compile" });
    writeStamp(stamp, digest);
  });
}

async function installPython(locks) {
  const python = inRoot(".venv", "bin", "python");
  const isInstalled = (lock) => existsSync(python) && isCurrent(stampOf(lock), digestOf(ROOT, [lock]));
  if (locks.every(isInstalled)) return;
  await makeEnvironment(python);
  for (const lock of locks.filter((lock) => !isInstalled(lock))) {
    await step(`Installing Python packages (${lock})`, async (report) => {
      // An interrupted install is taken up again: pip skips what is already there.
      const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", lock];
      await execute(python, args, { cwd: ROOT, report, failure: `pip could not install \`${lock}\`` });
      writeStamp(stampOf(lock), digestOf(ROOT, [lock]));
    });
  }
}

const stampOf = (lock) => inRoot(".venv", `${STAMP}-${lock}`);

/** Makes .venv unless a working one is there; a half-made or broken one (its Python was removed) is made anew. */
async function makeEnvironment(python) {
  const works = existsSync(python) && spawnSync(python, ["-m", "pip", "--version"]).status === 0;
  if (works && isRecent(pythonVersion(python) ?? [0, 0])) return;
  const base = PYTHONS.find((name) => isRecent(pythonVersion(name) ?? [0, 0]));
  if (base === undefined) {
    const tried = PYTHONS.join(", ");
    throw new StepError(`found no Python ${OLDEST_PYTHON.join(".")} or newer (tried ${tried}); set THAWLINE_PYTHON`);
  }
  await step(`Creating a Python environment in .venv (${base} -m venv)`, (report) =>
    execute(base, ["-m", "venv", "--clear", ".venv"], { cwd: ROOT, report, failure: `\`${base} -m venv\` failed` }),
  );
}

function checkChosenPython(locks) {
  const python = projectPython();
  const version = pythonVersion(python);
  if (version === null) throw new StepError(`THAWLINE_PYTHON names \`${python}\`, which does not run`);
  if (!isRecent(version)) {
    throw new StepError(
      `THAWLINE_PYTHON is Python ${version.join(".")}; thawline needs ${OLDEST_PYTHON.join(".")} or newer`,
    );
  }
  const named = JSON.parse(readFileSync(inRoot("python", "modules.json"), "utf8"));
  const modules = locks.flatMap((lock) => Object.keys(named[MODULES_OF[lock]]));
  const code = "import sys, importlib.util as u; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])";
  const { stdout } = spawnSync(python, ["-c", code, ...modules], { encoding: "utf8" });
  if (stdout.trim() === "") return;
  const files = locks.map((lock) => `-r ${lock}`).join(" ");
  throw new StepError(
    `\`${python}\` lacks ${stdout.trim().split(" ").join(", ")}; run \`${python} -m pip install ${files}\``,
  );
}

try {
  await bootstrap({
    withText: process.argv.includes("--with-text"),
    withTests: process.argv.includes("--with-tests"),
  });
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  if (error.output !== "") process.stderr.write(`\n${error.output.replace(/^/gm, "    ")}\n`);
  process.exitCode = 2;
}
