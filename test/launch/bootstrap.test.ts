import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeBootstrap, requireTemporaryFolder, writeBootstrap } from "../../src/launch/bootstrap.js";

const bootstrap = {
  endpoint: "ipc:///run/thawline-abc/socket",
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
  expect((await readdir(dirname(path))).sort()).toEqual(["bootstrap.json", "owner.json"]);
});

test("removing it leaves nothing, and may be repeated", async () => {
  const path = await writeBootstrap(bootstrap, parent);
  const other = await writeBootstrap(bootstrap, parent);
  await removeBootstrap(path);
  await removeBootstrap(path);
  expect(await readdir(parent)).toHaveLength(1);
  expect(JSON.parse(await readFile(other, "utf8"))).toEqual(bootstrap);
});

test("a folder for temporary files that cannot be written is refused by name, and nothing is left in one that can", async () => {
  await writeFile(join(parent, "file"), "");
  for (const folder of [join(parent, "nowhere"), join(parent, "file")]) {
    const refused = {
      code: "unwritable_temporary_folder",
      message: expect.stringContaining(`the folder for temporary files, \`${folder}\`, cannot be written (E`) as string,
      hint: expect.stringContaining("set TMPDIR") as string,
    };
    await expect(writeBootstrap(bootstrap, folder)).rejects.toMatchObject(refused);
    expect(() => requireTemporaryFolder(folder)).toThrow(expect.objectContaining(refused));
  }
  requireTemporaryFolder(parent);
  expect(await readdir(parent)).toEqual(["file"]);
});
