import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readJournal } from "../../src/journal/reader.js";
import { processFacts } from "../../src/process-identity.js";
import { CommandLine, SETTINGS } from "./command-line.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => commandLine.close());

async function eventsOf(run: string) {
  return (await readJournal(join(commandLine.folder, run))).records.map(({ event }) => event);
}

/** Loaded into the controller by Node itself: throws from a timer that nobody guards, once the worker trains. */
function throwing(): string {
  const path = join(commandLine.folder, "throws.cjs");
  const journal = JSON.stringify(join(commandLine.folder, "thrown", "journal"));
  writeFileSync(
    path,
    `const { existsSync, readFileSync } = require("node:fs");
     const timer = setInterval(() => {
       if (!existsSync(${journal}) || !readFileSync(${journal}, "utf8").includes("worker/applied")) return;
       clearInterval(timer);
       throw new TypeError("nobody expected this");
     }, 20);
     timer.unref();`,
  );
  return path;
}

describe("an error that nobody caught in a controller", () => {
  test("ends it with its stack and exit code 1, is in the journal, and leaves no worker; the run goes on with `resume`", async () => {
    const slow = commandLine.writePythonFor("hangs.py");
    const args = ["run", "quickstart", ...SETTINGS, "--run-dir", "thrown", "--plain"];
    const failed = await commandLine.start(args, slow, { NODE_OPTIONS: `--require=${throwing()}` });
    expect(failed.exitCode).toBe(1);
    expect(failed.stderr).toMatch(/error: nobody expected this\n\n\s+at .*throws\.cjs[\s\S]*this is a bug in thawline/);
    const events = await eventsOf("thrown");
    expect(events.at(-1)).toEqual({ type: "controller/failed", message: "nobody expected this" });
    const launched = events.flatMap((event) => (event.type === "attempt/launched" ? [event.pid] : []));
    expect(launched).toHaveLength(1);
    expect(processFacts(launched[0]!)?.zombie ?? true).toBe(true);
    expect(await commandLine.run("resume", "thrown")).toMatch(/^exit code 0\n/);
  });
});

describe("an inbox that is no folder", () => {
  test("keeps operators out, which is said once, and no run from its end", async () => {
    const slow = commandLine.writePythonFor("hangs.py");
    const running = commandLine.start(["run", "quickstart", ...SETTINGS, "--run-dir", "deaf"], slow);
    await commandLine.untilJournaled("deaf", "worker/applied");
    const inbox = join(commandLine.folder, "deaf", "inbox");
    rmSync(inbox, { recursive: true, force: true });
    writeFileSync(inbox, "");
    await new Promise<void>((resolve) => {
      running.stderr.on("data", (chunk: Buffer) => {
        if (String(chunk).includes("cannot be read")) resolve();
      });
    });
    running.kill("SIGTERM");
    await commandLine.untilJournaled("deaf", "controller/interrupted");
    running.kill("SIGTERM");
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(130);
    expect(stderr.match(/cannot be read \(ENOTDIR\)/g)).toHaveLength(1);
  });
});
