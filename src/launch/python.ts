import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { UserError } from "../errors.js";

const OLDEST = [3, 11] as const;
/** An interpreter on a cold network file system needs seconds; one that hangs must not hang us. */
const LIMIT_SECONDS = 30;

/** The modules that every worker imports, and the name under which pip installs each. */
function workerModules(): Readonly<Record<string, string>> {
  const file = new URL("../../python/modules.json", import.meta.url);
  const { worker } = JSON.parse(readFileSync(file, "utf8")) as { readonly worker: Record<string, string> };
  return worker;
}

/** find_spec looks without importing: importing torch takes seconds. Runs on any Python, so that an old one can say its age. */
const INSPECTION = `
import json, sys
missing = []
if sys.version_info >= (${OLDEST.join(", ")}):
    import importlib.util
    missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(json.dumps({"version": list(sys.version_info[:3]), "missing": missing}))
`;

export interface Python {
  /** Name or path to execute. */
  readonly command: string;
  /** For example `3.11.7`. */
  readonly version: string;
}

export interface PythonRequest {
  readonly env: NodeJS.ProcessEnv;
  /** Folder of the thawline package, where the bootstrap makes its environment. */
  readonly packageRoot: string;
}

/**
 * The interpreter that runs workers. THAWLINE_PYTHON is used as it is; otherwise the first that has everything of the
 * active virtual environment, the active conda environment, the package's own environment, and `python3`.
 *
 * @throws UserError `no_python`, `python_too_old` or `missing_python_package`, about the first candidate
 */
export async function findPython({ env, packageRoot }: PythonRequest): Promise<Python> {
  const chosen = env["THAWLINE_PYTHON"];
  const candidates = chosen ? [chosen] : environmentCandidates(env, packageRoot);
  const setUp = `\`node ${join(packageRoot, "scripts", "bootstrap.mjs")}\``;
  let firstRefusal: UserError | null = null;
  for (const command of candidates) {
    const found = await inspect(command, env, setUp);
    if (!(found instanceof UserError)) return found;
    // A conda base environment is active in every shell of its users: it must not hide an environment that fits.
    firstRefusal ??= found;
  }
  assert(firstRefusal !== null, "`python3` is always a candidate");
  throw firstRefusal;
}

function environmentCandidates(env: NodeJS.ProcessEnv, packageRoot: string): string[] {
  const folders = [env["VIRTUAL_ENV"], env["CONDA_PREFIX"], join(packageRoot, ".venv")];
  const interpreters = folders.flatMap((folder) => (folder ? [join(folder, "bin", "python")] : []));
  return [...interpreters.filter((path) => existsSync(path)), "python3"];
}

async function inspect(name: string, env: NodeJS.ProcessEnv, setUp: string): Promise<Python | UserError> {
  // Workers run in other folders than this process, so a relative path is fixed here; a bare name is left to PATH.
  const command = name.includes("/") ? resolve(name) : name;
  const modules = workerModules();
  const result = await execa(command, ["-c", INSPECTION, ...Object.keys(modules)], {
    env,
    extendEnv: false,
    timeout: LIMIT_SECONDS * 1000,
    reject: false,
    stdin: "ignore",
  });
  const report = result.failed ? null : parseReport(result.stdout);
  if (report === null) {
    return new UserError({
      code: "no_python",
      message: `\`${command}\` cannot be run as Python${lastLine(result.stderr, ": ")}`,
      hint: `point \`THAWLINE_PYTHON\` at Python ${OLDEST.join(".")} or newer, or set one up with ${setUp}`,
      cause: result,
    });
  }
  const [major, minor] = report.version;
  const version = report.version.join(".");
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return new UserError({
      code: "python_too_old",
      message: `\`${command}\` is Python ${version}, but thawline needs ${OLDEST.join(".")} or newer`,
      hint: `point \`THAWLINE_PYTHON\` at a newer one, or set one up with ${setUp}`,
    });
  }
  const packages = report.missing.map((module) => modules[module] ?? module);
  return packages.length > 0 ? lackingPackages(command, packages, setUp) : { command, version };
}

function lackingPackages(command: string, packages: readonly string[], setUp: string): UserError {
  const named = packages.map((name) => `\`${name}\``).join(", ");
  return new UserError({
    code: "missing_python_package",
    message: `\`${command}\` lacks the ${packages.length === 1 ? "package" : "packages"} ${named}`,
    hint: `run \`${command} -m pip install ${packages.join(" ")}\`, or set up an environment with ${setUp}`,
  });
}

interface Report {
  readonly version: readonly [number, number, number];
  readonly missing: readonly string[];
}

/** Reads the last line, because a site's startup files may print before it; null where that is not a report. */
function parseReport(stdout: string): Report | null {
  try {
    const report = JSON.parse(lastLine(stdout)) as Partial<Report> | null;
    return Array.isArray(report?.version) && Array.isArray(report.missing) ? (report as Report) : null;
  } catch {
    return null;
  }
}

function lastLine(text: string | undefined, prefix = ""): string {
  const line = (text ?? "").trimEnd().split("\n").at(-1) ?? "";
  return line === "" ? "" : `${prefix}${line}`;
}
