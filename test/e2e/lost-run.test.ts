import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processFacts } from "../../src/process-identity.js";
import { CommandLine, SETTINGS } from "./command-line.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => commandLine.close());

describe("a controller that was stopped, and whose run another host has taken meanwhile", () => {
  test("ends with a sentence before it writes again, with its worker; once that host is silent the run goes on", async () => {
    const slow = commandLine.writePythonFor("hangs.py");
    const args = ["run", "quickstart", ...SETTINGS, "--run-dir", "lost", "--plain"];
    const running = commandLine.start(args, slow);
    await commandLine.untilJournaled("lost", "worker/applied");
    const folder = join(commandLine.folder, "lost");
    running.kill("SIGSTOP");
    const lock = JSON.parse(readFileSync(join(folder, "lock.1"), "utf8")) as { pid: number };
    const successor = { ...lock, id: "another", host: "node17", pid: 4711, job: null };
    writeFileSync(join(folder, "lock.2"), JSON.stringify(successor));
    // Longer than a look serves.
    await sleep(1500);
    const { size } = statSync(join(folder, "journal"));
    running.kill("SIGCONT");
    const { exitCode, stderr } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /error: `.*lost` was taken over by process 4711 on host node17 while .* writes nothing more\n/,
    );
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(statSync(join(folder, "journal")).size).toBe(size);
    const launched = /"attempt\/launched".*?"pid":(\d+)/.exec(readFileSync(join(folder, "journal"), "utf8"))![1];
    expect(processFacts(Number(launched))?.zombie ?? true).toBe(true);

    expect(await commandLine.run("resume", "lost")).toMatch(
      /`.*lost` is held by process 4711 on host node17\n\nhint: it counts as gone once it has been silent for 5 minutes; /,
    );
    const longAgo = Date.now() / 1000 - 400;
    utimesSync(join(folder, "lock.2"), longAgo, longAgo);
    expect(await commandLine.run("resume", "lost")).toMatch(/^exit code 0\n/);
  });
});
