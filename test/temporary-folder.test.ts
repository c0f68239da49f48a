import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, statSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { startTimeOf } from "../src/process-identity.js";
import { makeTemporaryFolder, removeTemporaryFoldersOfTheDead, temporaryPathLength } from "../src/temporary-folder.js";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "parent-"));
});

test("is for its owner alone, and as long as it was said to be", () => {
  const folder = makeTemporaryFolder(parent);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(Buffer.byteLength(join(folder, "socket"))).toBe(temporaryPathLength(parent, "socket"));
});

test("cannot be made where there is no folder for it", () => {
  expect(() => makeTemporaryFolder(join(parent, "nowhere"))).toThrow(/ENOENT/);
  expect(existsSync(join(parent, "nowhere"))).toBe(false);
});

test("those of dead controllers are removed, and of nobody else", async () => {
  const living = makeTemporaryFolder(parent);
  const me = { pid: process.pid, startTime: startTimeOf(process.pid), host: hostname() };
  const owners = {
    "thawline-dead": { ...me, pid: spawnSync("true").pid },
    "thawline-recycled": { ...me, startTime: "another boot/1" },
    "thawline-elsewhere": { ...me, pid: 1, host: "another-host" },
    "someone-dead": { ...me, pid: spawnSync("true").pid },
  };
  for (const [name, owner] of Object.entries(owners)) {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, "owner.json"), JSON.stringify(owner));
    await writeFile(join(parent, name, "bootstrap.json"), "{}");
  }
  // Killed before it could sign.
  const unsigned = basename(living).replace(`-${process.pid}-`, `-${spawnSync("true").pid}-`);
  const unsignedElsewhere = unsigned.replace(/^thawline-[0-9a-f]{8}/, "thawline-00000000");
  const unsignedLiving = basename(living).replace(/.{6}$/, "unsign");
  for (const name of [unsigned, unsignedElsewhere, unsignedLiving]) await mkdir(join(parent, name));
  await writeFile(join(parent, unsigned, ".owner.json.tmp-1-abc"), "");
  await mkdir(join(parent, "thawline-of-a-test"));
  await writeFile(join(parent, "thawline-of-a-test", "notes"), "mine");
  removeTemporaryFoldersOfTheDead([parent]);
  const left = [
    basename(living),
    "someone-dead",
    "thawline-elsewhere",
    "thawline-of-a-test",
    unsignedElsewhere,
    unsignedLiving,
  ];
  expect((await readdir(parent)).sort()).toEqual(left.sort());
  removeTemporaryFoldersOfTheDead([join(parent, "nowhere")]);
});
