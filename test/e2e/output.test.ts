import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { PACKAGE_ROOT } from "../../src/package.js";
import { Terminal } from "../support/terminal/terminal.js";
import { CommandLine } from "./command-line.js";

/** So many records that no pipe holds their lines. */
const LONG = ["train.updates=400", "intervention.k=5", "checkpoint.every=1", "checkpoint.keep=1"];
const CLI = join(PACKAGE_ROOT, "dist", "cli.js");

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => commandLine.close());

function environment(): NodeJS.ProcessEnv {
  const { folder } = commandLine;
  const python = join(folder, "scripted-python");
  return { ...process.env, HOME: folder, THAWLINE_PYTHON: python, TERM: "dumb", NO_COLOR: "1" };
}

function start(...args: string[]) {
  return spawn(process.execPath, [CLI, ...args], { cwd: commandLine.folder, env: environment() });
}

async function untilThere(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(20);
}

async function readAll(stream: AsyncIterable<Buffer>, pauseMilliseconds = 0): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) {
    pieces.push(piece);
    if (pauseMilliseconds > 0) await sleep(pauseMilliseconds);
  }
  return Buffer.concat(pieces).toString();
}

const linesOf = (text: string): string[] => text.trimEnd().split("\n");
const recordsOf = (run: string): string[] => linesOf(readFileSync(join(commandLine.folder, run, "journal"), "utf8"));

describe("a pipe that nobody reads yet", () => {
  test("keeps no run from its end, and gets every line when it is read", async () => {
    const running = start("run", "quickstart", ...LONG, "--run-dir", "unread", "--json");
    // Nothing is read until the run is over.
    await untilThere(join(commandLine.folder, "unread", "manifest.json"));
    expect(running.exitCode).toBeNull();
    const lines = linesOf(await readAll(running.stdout));
    expect(lines.join("\n").length).toBeGreaterThan(1 << 16);
    expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      recordsOf("unread").map((_, index) => index + 1),
    );
    expect(running.exitCode ?? (await new Promise((resolve) => running.once("exit", resolve)))).toBe(0);
  });

  test.each([
    ["slowly", "--json", 5],
    ["slowly, in words", "--plain", 5],
  ])("gets all of a finished run that is watched, read %s", async (_, form, pause) => {
    // From the start: of a child that has ended Node throws away what nobody reads.
    const watching = start("watch", "unread", form);
    const lines = linesOf(await readAll(watching.stdout, pause));
    const all = form === "--json" ? recordsOf("unread").length : 400;
    expect(lines.length).toBeGreaterThanOrEqual(all);
  });

  test("may close early, which is no error", async () => {
    const watching = start("watch", "unread", "--json");
    watching.stdout.once("data", () => watching.stdout.destroy());
    const said = readAll(watching.stderr);
    expect(await new Promise((resolve) => watching.once("exit", resolve))).toBe(0);
    expect(await said).toBe("");
  });
});

describe("a hundred megabytes", () => {
  test("are written whole before the process ends, and do not wait in its memory", async () => {
    const script = `
      import { standardOutput } from ${JSON.stringify(join(PACKAGE_ROOT, "dist", "output.js"))};
      for (let line = 0; line < 100_000; line += 1) standardOutput.print("x".repeat(999) + "\\n");
      const { rss } = process.memoryUsage();
      await standardOutput.drained();
      process.stderr.write(String(rss));
      process.exit();`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    await sleep(500);
    const said = readAll(child.stderr);
    let bytes = 0;
    for await (const piece of child.stdout as AsyncIterable<Buffer>) bytes += piece.length;
    expect(bytes).toBe(100_000_000);
    expect(Number(await said)).toBeLessThan(250e6);
  });
});

describe("a terminal that nobody reads", () => {
  test("keeps no run that writes lines to it from its end, and gets them when it is read", async () => {
    const terminal = new Terminal(inject("realPython"));
    try {
      await terminal.resize(40, 120);
      await terminal.read(false);
      const args = ["run", "quickstart", ...LONG, "--run-dir", "stopped", "--plain"];
      await terminal.start([process.execPath, CLI, ...args], commandLine.folder, environment());
      await untilThere(join(commandLine.folder, "stopped", "manifest.json"));
      await terminal.read(true);
      expect(await terminal.end()).toEqual({ exitCode: 0 });
      const drawn = await terminal.drawn();
      expect(drawn).toContain("update 400");
      expect(linesOf(drawn).length).toBeGreaterThan(400);
    } finally {
      terminal.close();
    }
  });
});
