import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startTimeOf } from "../../src/process-identity.js";

const PROGRAM = fileURLToPath(new URL("../fixtures/processes/launches.mjs", import.meta.url));

test.each(["SIGKILL", "SIGTERM"] as const)(
  "a worker that watches nobody ends with its controller: %s",
  async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), "thawline-test-"));
    const controller = spawn(process.execPath, [PROGRAM, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(controller.stdout, "data")) as [Buffer];
    const worker = Number(line.toString());
    expect(startTimeOf(worker)).not.toBeNull();
    controller.kill(signal);
    await expect.poll(() => startTimeOf(worker)).toBeNull();
  },
);
