import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commitAt, noteCommit, notedCommits } from "../../../scripts/results/commits.mjs";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-commits-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("the commits of a run", () => {
  it("are those that were noted, each once and in order", () => {
    const run = join(folder, "run");
    expect(notedCommits(run)).toBeNull();
    for (const commit of ["b1", "b1", "a2", null]) noteCommit(run, commit);
    expect(notedCommits(run)).toBe("b1, a2");
  });
});

describe("the commit of a checkout", () => {
  it("is marked where a file differs from it, and none where there is no repository", async () => {
    expect(commitAt(folder)).toBeNull();
    const git = async (...args: string[]) =>
      (await execa("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder })).stdout;
    await git("init", "--quiet");
    writeFileSync(join(folder, "file"), "1");
    await git("add", "file");
    await git("commit", "--quiet", "--message", "one");
    await git("tag", "v1");
    const commit = await git("rev-parse", "--short", "HEAD");
    expect(commitAt(folder)).toBe(commit);
    writeFileSync(join(folder, "file"), "2");
    expect(commitAt(folder)).toBe(`${commit}-dirty`);
  });
});
