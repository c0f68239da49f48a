import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTimeOf } from "../src/process-identity.js";

describe("startTimeOf", () => {
  it("tells processes apart, and knows a zombie for dead", async () => {
    expect(startTimeOf(process.pid)).toMatch(/^[0-9a-f-]+\/\d+$/);
    expect(startTimeOf(2 ** 22 + 1)).toBeNull();
    // The shell's child ends at once; the shell, replaced by sleep, never asks for its exit status.
    const shell = spawn("sh", ["-c", "true & echo $!; exec sleep 20"], { stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void shell.kill("SIGKILL"));
    const [line] = (await once(createInterface({ input: shell.stdout }), "line")) as [string];
    await expect.poll(() => startTimeOf(Number(line))).toBeNull();
  });
});
