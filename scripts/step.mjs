// Runs the bootstrap's tools: one line a step with the elapsed time, the tool's own output only when it fails.
import { spawn } from "node:child_process";

const TAIL_LINES = 20;
const SPINNER = ["|", "/", "-", "\\"];

/** What went wrong in one sentence, and the end of what the tool printed. */
export class StepError extends Error {
  constructor(message, output = "") {
    super(message);
    this.output = output.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  }
}

/** Does `action(report)` under a line `title ... 3.1 s`; `report(text)` shows what is going on, in a terminal only. */
export async function step(title, action) {
  const started = Date.now();
  const elapsed = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const interactive = process.stderr.isTTY === true;
  let detail = "";
  let turn = 0;
  const draw = () => {
    const line = `${SPINNER[turn++ % SPINNER.length]} ${title} (${elapsed()}) ${detail}`;
    process.stderr.write(`\r\u001b[2K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  };
  if (!interactive) process.stderr.write(`${title} ...\n`);
  const timer = interactive ? setInterval(draw, 120) : undefined;
  try {
    await action((text) => (detail = text));
  } finally {
    clearInterval(timer);
    if (interactive) process.stderr.write("\r\u001b[2K");
  }
  process.stderr.write(interactive ? `${title} (${elapsed()})\n` : `  done in ${elapsed()}\n`);
}

/** Runs a command to its end and resolves to what it printed; a failure is a StepError that says `failure`. */
export function execute(command, args, { cwd, failure, report = () => {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        report(text.trimEnd().split("\n").at(-1).trim());
      });
    }
    child.on("error", (error) => reject(new StepError(failure, `${command}: ${error.message}`)));
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new StepError(failure, output))));
  });
}
