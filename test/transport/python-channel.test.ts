import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { removeBootstrap, writeBootstrap } from "../../src/launch/bootstrap.js";
import type { LaunchedWorker } from "../../src/launch/launcher.js";
import { localLauncher } from "../../src/launch/local.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { PROTOCOL_VERSION } from "../../src/protocol/version.js";
import { openRouter } from "../../src/transport/router.js";
import type { WorkerRouter } from "../../src/transport/worker-router.js";
import { Events, RUN } from "./fake-worker.js";

function fail(error: unknown): never {
  throw error;
}

const script = fileURLToPath(new URL("../fixtures/workers/channel_only.py", import.meta.url));
let folder: string;
let events: Events;
let router: WorkerRouter;
let worker: LaunchedWorker;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "channel-"));
  events = new Events();
  router = await openRouter({ run: RUN, onEvent: events.onEvent, onFault: fail, pingMilliseconds: 30, queueLimit: 16 });
  const { publicKey, secretKey } = router.admit(3);
  const bootstrapPath = await writeBootstrap(
    {
      endpoint: router.endpoint,
      server_key: router.serverPublicKey,
      public_key: publicKey,
      secret_key: secretKey,
      run: RUN,
      attempt: 3,
      controller_pid: process.pid,
    },
    folder,
  );
  worker = await localLauncher.launch({
    command: [inject("realPython"), script],
    workingFolder: folder,
    logPath: join(folder, "worker.log"),
    bootstrapPath,
    runIdentity: "1d",
    pythonFolder: join(PACKAGE_ROOT, "python"),
  });
  expect((await events.next("message")).message).toMatchObject({
    kind: "hello",
    attempt: 3,
    body: { pid: worker.pid },
  });
  await removeBootstrap(bootstrapPath);
});

afterEach(async () => {
  worker.kill();
  await worker.exited;
  router.close();
  await rm(folder, { recursive: true });
});

async function welcome(): Promise<void> {
  const config = { learning_rate: 1, data: { path: "/d\u00e4ta", classes: [0, 1] } };
  await router.send("welcome", { protocol: PROTOCOL_VERSION, run_folder: folder, config, resume_from: null });
}

test("a Python worker says hello, answers pings, is recalled and says how it ended", async () => {
  await welcome();
  const boundAt = router.lastHeardAt() ?? 0;
  await sleep(300);
  expect((router.lastHeardAt() ?? 0) - boundAt).toBeGreaterThan(100);

  await router.send("recall", {});
  await router.send("stop", { reason: "operator", checkpoint: false });
  const { message } = await events.next("message", 2);
  expect(message).toMatchObject({ kind: "closed", body: { outcome: "stopped" } });
  expect(await worker.exited).toEqual({ exitCode: 4, signal: null });
  expect(events.all).toHaveLength(2);
});

test("a Python worker whose connection is lost ends with one sentence", async () => {
  await welcome();
  router.close();
  expect((await worker.exited).exitCode).toBe(1);
  const lastLine = (await readFile(join(folder, "worker.log"), "utf8")).trimEnd().split("\n").at(-1);
  expect(lastLine).toBe("thawline.wire.link.ChannelClosed: the connection to the controller is lost");
});
