import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeBootstrap, writeBootstrap } from "../../src/launch/bootstrap.js";

const bootstrap = {
  endpoint: "tcp://127.0.0.1:5555",
  server_key: "s".repeat(40),
  public_key: "p".repeat(40),
  secret_key: "k".repeat(40),
  run: "run-1",
  attempt: 3,
  controller_pid: 99,
};
let parent: string;
let umask: number;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "bootstrap-"));
  umask = process.umask(0);
});

afterEach(async () => {
  process.umask(umask);
  await rm(parent, { recursive: true });
});

test("nobody else can read it, whatever the umask", async () => {
  const path = await writeBootstrap(bootstrap, parent);
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual(bootstrap);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  expect(await readdir(dirname(path))).toHaveLength(1);
});

test("removing it leaves nothing, and may be repeated", async () => {
  const path = await writeBootstrap(bootstrap, parent);
  const other = await writeBootstrap(bootstrap, parent);
  await removeBootstrap(path);
  await removeBootstrap(path);
  expect(await readdir(parent)).toHaveLength(1);
  expect(JSON.parse(await readFile(other, "utf8"))).toEqual(bootstrap);
});
