import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa, type Options } from "execa";
import { expect } from "vitest";
import type { EventType } from "../../src/core/events.js";
import { followJournal } from "../../src/journal/reader.js";
import { findPython } from "../../src/launch/python.js";
import { filesUnder } from "../support/files-under.js";

const ROOT = resolve(import.meta.dirname, "../..");
const WORKERS = join(ROOT, "test/fixtures/workers");

/** A run of moments for a worker that makes its numbers up. */
export const SETTINGS = ["train.updates=12", "intervention.k=5", "checkpoint.every=6"];

/** What a user sees of one command. */
interface Output {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command line, in a folder of its own that holds the folder `finished` of a finished run. */
export class CommandLine {
  private constructor(
    readonly folder: string,
    /** The real interpreter. */
    readonly python: string,
  ) {}

  static async open(): Promise<CommandLine> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
    const commandLine = new CommandLine(folder, (await findPython({ env: process.env, packageRoot: ROOT })).command);
    commandLine.writePython("scripted-python", `exec "${commandLine.python}" "${join(WORKERS, "scripted_worker.py")}"`);
    const shown = await commandLine.run("run", "quickstart", ...SETTINGS, "--run-dir", "finished", "--headless");
    expect(shown).toMatch(/^exit code 0\n/);
    return commandLine;
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** An interpreter that does `instead`, in shell, when it is asked to be a worker. Returns its path. */
  writePython(name: string, instead: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, `#!/bin/sh\n[ "$1" = -m ] && { ${instead}; }\nexec "${this.python}" "$@"\n`, { mode: 0o755 });
    return path;
  }

  /** An interpreter whose worker is another one of test/fixtures/workers. */
  writePythonFor(worker: string): string {
    return this.writePython(`python-of-${worker}`, `exec "${this.python}" "${join(WORKERS, worker)}"`);
  }

  start(args: readonly string[], python = join(this.folder, "scripted-python"), env: NodeJS.ProcessEnv = {}) {
    const options = {
      cwd: this.folder,
      env: { ...inherited(), HOME: this.folder, THAWLINE_PYTHON: python, ...env },
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    } as const satisfies Options;
    return execa(process.execPath, [join(ROOT, "dist/cli.js"), ...args], options);
  }

  async run(...args: string[]): Promise<string> {
    return this.seen(await this.start(args));
  }

  /** Everything that a user sees, with the folders of this machine left out. */
  seen({ exitCode, stdout, stderr }: Output): string {
    return [`exit code ${exitCode ?? "none"}`, ...(stdout === "" ? [] : ["--- stdout", stdout]), stderr]
      .join("\n")
      .replaceAll(ROOT, "ROOT")
      .replaceAll(this.folder, "CWD");
  }

  /** What is left for whoever reads only stderr. */
  complaint({ exitCode, stderr }: Output): string {
    return this.seen({ ...(exitCode === undefined ? {} : { exitCode }), stdout: "", stderr });
  }

  /** What a command says that must not begin: the folder holds the same names before and after. */
  async refused(...args: string[]): Promise<string> {
    const before = this.names();
    const shown = await this.run(...args);
    expect(this.names()).toEqual(before);
    return shown;
  }

  /** Returns once an event of this type is in a run's journal. */
  async untilJournaled(run: string, type: EventType): Promise<void> {
    const found = new AbortController();
    const options = { signal: found.signal, pollMilliseconds: 20 };
    for await (const { records } of followJournal(join(this.folder, run), options)) {
      if (records.some(({ event }) => event.type === type)) found.abort();
    }
  }

  private names(): string[] {
    return filesUnder(this.folder);
  }
}

/** Of this process's environment what a program needs, and what the nursery's processes have in common. */
function inherited(): NodeJS.ProcessEnv {
  const names = ["PATH", "HF_HOME", "HF_HUB_OFFLINE"];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}
