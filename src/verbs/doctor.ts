import { styleText } from "node:util";
import type { Command } from "commander";
import { execa } from "execa";
import { loadConfig } from "../config/layers/load.js";
import { bundledDataFolder, checkPaths } from "../config/checks/paths.js";
import { UserError } from "../errors.js";
import { findPython } from "../launch/python.js";
import { PACKAGE_ROOT } from "../package.js";
import { standardOutput } from "../output.js";
import { printable } from "../printable.js";
import { colorEnabled } from "../ui/terminal.js";

/** One thing that a run needs, and how to get it where it is missing. */
interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  readonly fix: string | null;
}

const COLORS = { ok: "green", warn: "yellow", fail: "red" } as const;
/** Importing torch from a cold network file system is slow; beyond this something is wrong. */
const IMPORT_LIMIT_SECONDS = 120;

export function register(program: Command): void {
  program
    .command("doctor")
    .description("Check that this machine has what a run needs; exits with 2 if something is missing")
    .option("--json", "print one JSON object a line")
    .action(async (options: { readonly json?: true }) => {
      const color = colorEnabled(process.stdout, process.env);
      for await (const finding of findings(process.env)) {
        const text = options.json ? printable(JSON.stringify(finding)) : formatFinding(finding, color);
        standardOutput.printStyled(`${text}\n`);
        if (finding.status === "fail") process.exitCode = 2;
      }
    });
}

/** In the order in which a person would repair them. */
async function* findings(env: NodeJS.ProcessEnv): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node);
  yield* checkPython(env);
  yield await checkZeromq();
  yield checkData();
  yield checkTerminal(env);
}

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  if (recent) return passed("node", `Node ${version}`);
  return failed("node", `Node ${version} is too old`, "install Node 20.19 or newer");
}

async function* checkPython(env: NodeJS.ProcessEnv): AsyncGenerator<Finding> {
  try {
    const { command, version } = await findPython({ env, packageRoot: PACKAGE_ROOT });
    yield passed("python", `Python ${version} (\`${command}\`)`);
    yield await checkWorkerImports(command, env);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    yield failed("python", error.message, error.hint);
  }
}

/** What cannot be known without importing: whether torch loads here, and how pyzmq was built. */
async function checkWorkerImports(command: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  const code = "import torch, zmq; print(torch.__version__, torch.cuda.is_available(), zmq.has('curve'))";
  const result = await execa(command, ["-c", code], { env, reject: false, timeout: IMPORT_LIMIT_SECONDS * 1000 });
  const reinstall = `run \`${command} -m pip install --force-reinstall torch pyzmq\``;
  if (result.failed) {
    return failed("torch", `torch does not import: ${result.stderr.trim().split("\n").at(-1) ?? ""}`, reinstall);
  }
  const [version, gpu, curve] = result.stdout.trim().split(" ");
  if (curve !== "True") return failed("torch", "pyzmq was built without CURVE encryption", reinstall);
  return passed("torch", `torch ${version ?? ""} imports, ${gpu === "True" ? "with a GPU" : "without a GPU"}`);
}

async function checkZeromq(): Promise<Finding> {
  try {
    const { capability, version } = await import("zeromq");
    if (capability.curve === true) return passed("zeromq", `ZeroMQ ${version} with CURVE encryption`);
    return failed("zeromq", `ZeroMQ ${version} lacks CURVE encryption`, "run `npm ci` to restore the packaged build");
  } catch (error) {
    return failed("zeromq", `ZeroMQ does not load: ${String(error)}`, "run `npm ci` to restore the packaged build");
  }
}

function checkData(): Finding {
  try {
    const config = loadConfig({ source: "quickstart", cwd: process.cwd() });
    checkPaths(config);
    return passed("data", `MNIST (\`${bundledDataFolder()}\`)`);
  } catch (error) {
    return failed("data", error instanceof Error ? error.message : String(error), "run `npm ci` to restore the files");
  }
}

function checkTerminal(env: NodeJS.ProcessEnv): Finding {
  const { isTTY, columns, rows } = process.stdout;
  if (!isTTY || env["TERM"] === "dumb") {
    return { check: "terminal", status: "warn", message: "not a terminal: runs print one line an event", fix: null };
  }
  const size = `${columns} x ${rows}`;
  if (columns >= 80 && rows >= 24) return passed("terminal", `terminal of ${size}`);
  const fix = "widen the window to 80 x 24 or more for the live view";
  return { check: "terminal", status: "warn", message: `terminal of ${size} is small`, fix };
}

function passed(check: string, message: string): Finding {
  return { check, status: "ok", message, fix: null };
}

function failed(check: string, message: string, fix: string): Finding {
  return { check, status: "fail", message, fix };
}

function formatFinding({ status, fix, ...finding }: Finding, color: boolean): string {
  const message = printable(finding.message);
  const word = status.padEnd(4);
  const label = color ? styleText(COLORS[status], word, { validateStream: false }) : word;
  return fix === null ? `${label}  ${message}` : `${label}  ${message}\n      fix: ${printable(fix)}`;
}
