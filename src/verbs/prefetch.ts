import { delimiter, join } from "node:path";
import type { Command } from "commander";
import { execa } from "execa";
import { loadConfig } from "../config/layers/load.js";
import { checkPaths } from "../config/checks/paths.js";
import type { Config } from "../config/schema.js";
import { workerConfig } from "../controller/worker-config.js";
import { ExternalError, UserError } from "../errors.js";
import { findPython } from "../launch/python.js";
import { PACKAGE_ROOT } from "../package.js";
import { standardOutput } from "../output.js";
import { printable } from "../printable.js";
import { formatCount, formatInteger } from "../words/format.js";

/** What `python -m thawline.prefetch` says, a line at a time. */
type Report =
  | { readonly made: number; readonly missing: number }
  | { readonly done: Done }
  | { readonly error: { readonly code: string; readonly message: string; readonly hint: string } };

interface Done {
  readonly num_sets: number;
  readonly num_images: number;
  readonly regenerated: boolean;
  readonly left_out: Readonly<Record<string, string>>;
  readonly made_with: Readonly<Record<string, string>>;
  readonly folder: string;
}

export function register(program: Command): void {
  program
    .command("prefetch")
    .description("Make the corrupted test images of a configuration now, so that its runs need not wait for them")
    .argument("<preset or file>", "name of a preset, or path of a YAML file")
    .argument("[key=value...]", "settings that win over the file, for example data.path=cifar-10-python.tar.gz")
    .action(async (source: string, overrides: string[]) => {
      const config = loadConfig({ source, overrides, env: process.env, cwd: process.cwd() });
      checkPaths(config);
      const done = await prefetch(config);
      standardOutput.print(`${describeDone(done)}\n`);
    });
}

/** @throws UserError for data that are missing or wrong, ExternalError where Python ended otherwise */
async function prefetch(config: Config): Promise<Done> {
  const python = await findPython({ env: process.env, packageRoot: PACKAGE_ROOT });
  const search = [join(PACKAGE_ROOT, "python"), process.env["PYTHONPATH"]].filter(Boolean).join(delimiter);
  const child = execa(python.command, ["-m", "thawline.prefetch"], {
    env: { PYTHONPATH: search },
    input: JSON.stringify(workerConfig(config)),
    reject: false,
  });
  const bar = new ProgressBar(process.stderr);
  let done: Done | null = null;
  for await (const line of child) {
    const report = JSON.parse(line) as Report;
    if ("made" in report) bar.show(report.made, report.missing);
    else if ("done" in report) done = report.done;
    else throw new UserError(report.error);
  }
  const result = await child;
  bar.end();
  if (done !== null) return done;
  const { exitCode, signal, stderr } = result;
  const how = signal ?? `exit code ${exitCode ?? "unknown"}`;
  throw new ExternalError({
    code: "prefetch_failed",
    message: `making the corrupted test images ended with ${how}`,
    output: stderr,
  });
}

const BAR_COLUMNS = 30;

/** One line that is drawn again and again in a terminal; in a pipe a line for each set. */
export class ProgressBar {
  private drawn = false;

  constructor(private readonly stream: Pick<NodeJS.WriteStream, "isTTY" | "write">) {}

  show(made: number, missing: number): void {
    if (missing === 0) return;
    const text = `${made} of ${formatCount(missing, "test set")} made`;
    if (!this.stream.isTTY) {
      this.stream.write(printable(`${text}\n`));
      return;
    }
    const filled = Math.round((BAR_COLUMNS * made) / missing);
    const bar = `[${"#".repeat(filled)}${"-".repeat(BAR_COLUMNS - filled)}] ${text}`;
    this.stream.write(`\r${printable(bar)}`);
    this.drawn = true;
  }

  end(): void {
    if (this.drawn) this.stream.write("\n");
  }
}

export function describeDone({ num_sets: sets, num_images: images, regenerated, ...done }: Done): string {
  if (sets === 0) return "there is nothing to make: `evaluate.ood` is `none`";
  const what = `${formatCount(sets, "test set")} of ${formatInteger(images)} images`;
  if (!regenerated) return `there is nothing to make: the ${what} are published files`;
  const madeWith = Object.entries(done.made_with).map(([corruption, what]) => `; ${corruption} has ${what}`);
  const left = Object.entries(done.left_out).map(([corruption, why]) => `; ${corruption} will not count: ${why}`);
  return `${what} are in \`${done.folder}\`${[...madeWith, ...left].join("")}`;
}
