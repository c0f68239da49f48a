import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Results } from "../../src/reading/results.js";
import { readJournal } from "../../src/journal/reader.js";
import { replayJournal } from "../../src/journal/replay.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { livingWorkers, newRunFolder, TINY_RUN } from "./harness.js";

const CLI = join(PACKAGE_ROOT, "dist", "cli.js");

function hasTmux(): boolean {
  try {
    execFileSync("tmux", ["-V"]);
    return true;
  } catch {
    return false;
  }
}

/** A terminal of its own, whatever tmux servers the person at this machine has. */
class Terminal {
  private readonly socket = join(newRunFolder(), "tmux");

  constructor(columns: number, rows: number) {
    const size = ["-x", String(columns), "-y", String(rows)];
    this.tmux("-f", "/dev/null", "new-session", "-d", ...size, "env LANG=C.UTF-8 NO_COLOR=1 sh");
  }

  type(...keys: string[]): void {
    this.tmux("send-keys", ...keys);
  }

  run(command: string): void {
    this.type(`${command}; echo "exit code $?"`, "Enter");
  }

  screen(): string {
    return this.tmux("capture-pane", "-p");
  }

  close(): void {
    this.tmux("kill-server");
  }

  private tmux(...args: string[]): string {
    return execFileSync("tmux", ["-S", this.socket, ...args], { encoding: "utf8" });
  }
}

// tmux is a tool of the test, not of the product: where it is missing, the frames are still tested by snapshots.
describe.skipIf(!hasTmux())("in a terminal", () => {
  let terminal: Terminal;

  beforeEach(() => {
    terminal = new Terminal(120, 40);
  });
  afterEach(() => terminal.close());

  const runCommand = (runFolder: string, ...overrides: string[]): string =>
    [`'${process.execPath}'`, `'${CLI}'`, "run quickstart", `--run-dir '${runFolder}'`, ...TINY_RUN, ...overrides].join(
      " ",
    );

  test("run is the live view; q leaves the run alone; watch returns to it", async () => {
    const runFolder = join(newRunFolder(), "run");
    terminal.run(runCommand(runFolder, "train.updates=400"));
    await expect.poll(() => terminal.screen()).toMatch(/detector of tr\(F\)/);
    await expect.poll(() => terminal.screen()).toMatch(/k = \d+, decided online/);
    expect(terminal.screen()).toMatch(/layer4 .* since update/);
    terminal.type("q");
    await expect.poll(() => terminal.screen()).toContain("exit code 0");
    expect(terminal.screen()).toContain(`npx thawline watch ${runFolder}`.slice(0, 40));
    expect(existsSync(join(runFolder, "results.json"))).toBe(false);

    terminal.run(`clear; '${process.execPath}' '${CLI}' watch '${runFolder}'`);
    await expect.poll(() => terminal.screen()).toMatch(/decided online/);
    await expect.poll(() => existsSync(join(runFolder, "results.json"))).toBe(true);
    await expect.poll(() => terminal.screen()).toMatch(/finished/i);
    terminal.type("q");
    const results = JSON.parse(readFileSync(join(runFolder, "results.json"), "utf8")) as Results;
    expect(results).toMatchObject({ outcome: "finished", updates: 400, attempts: 1 });
  });

  test("Ctrl-C stops the run with a checkpoint and exits 130", async () => {
    const runFolder = join(newRunFolder(), "run");
    terminal.run(runCommand(runFolder, "train.updates=4000", "intervention.k_max=800"));
    await expect.poll(() => terminal.screen()).toMatch(/decided online/);
    terminal.type("C-c");
    await expect.poll(() => terminal.screen()).toContain("exit code 130");
    const state = replayJournal((await readJournal(runFolder)).records);
    expect(state.end).toMatchObject({ outcome: "stopped", exitCode: 130 });
    expect(state.weights.checkpoints.at(-1)?.step).toBe(state.progress.frontier - 1);
    await expect.poll(() => livingWorkers(runFolder)).toEqual([]);
  });
});
