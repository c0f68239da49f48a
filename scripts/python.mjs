// The Python that the bootstrap sets up and the scripts use: THAWLINE_PYTHON as it is, otherwise the project's .venv.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const OLDEST_PYTHON = [3, 11];

export function projectPython() {
  return process.env.THAWLINE_PYTHON || join(ROOT, ".venv", "bin", "python");
}

/** `[3, 11, 7]`, or null when the command is no Python that runs. */
export function pythonVersion(command) {
  const code = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
  const { status, stdout } = spawnSync(command, ["-c", code], { encoding: "utf8" });
  return status === 0 ? stdout.trim().split(".").map(Number) : null;
}

export function isRecent([major, minor]) {
  return major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);
}

/** Runs tools of the project's Python one after the other; returns the first exit code that is not 0. */
export function runModules(...commands) {
  const python = projectPython();
  if (!process.env.THAWLINE_PYTHON && !existsSync(python)) {
    process.stderr.write(
      "error: there is no Python environment yet\n\nhint: run `node scripts/bootstrap.mjs --with-tests`\n",
    );
    return 2;
  }
  let exitCode = 0;
  for (const args of commands) {
    const { status, error } = spawnSync(python, ["-m", ...args], { cwd: ROOT, stdio: "inherit" });
    if (error) process.stderr.write(`error: cannot run \`${python}\`: ${error.message}\n`);
    exitCode ||= status ?? 1;
  }
  return exitCode;
}
