import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, isCurrent, writeStamp } from "../../scripts/stamps.mjs";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "thawline-stamps-"));
  mkdirSync(join(root, "src/deep"), { recursive: true });
  writeFileSync(join(root, "src/a.ts"), "one");
  writeFileSync(join(root, "src/deep/b.ts"), "two");
  writeFileSync(join(root, "other"), "");
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const digest = () => digestOf(root, ["src", "absent"]);

describe("digestOf", () => {
  it("changes with content, names and files, and with nothing else", () => {
    const before = digest();
    writeFileSync(join(root, "other"), "changed");
    writeFileSync(join(root, "src/a.ts"), "one");
    expect(digest()).toBe(before);

    const seen = new Set([before]);
    writeFileSync(join(root, "src/deep/b.ts"), "three");
    seen.add(digest());
    renameSync(join(root, "src/deep/b.ts"), join(root, "src/deep/c.ts"));
    seen.add(digest());
    writeFileSync(join(root, "src/d.ts"), "");
    seen.add(digest());
    rmSync(join(root, "src/d.ts"));
    rmSync(join(root, "src/a.ts"));
    seen.add(digest());
    expect(seen.size).toBe(5);
  });

  it("tells contents apart that only moved between files", () => {
    const before = digest();
    writeFileSync(join(root, "src/a.ts"), "on");
    writeFileSync(join(root, "src/deep/b.ts"), "etwo");
    expect(digest()).not.toBe(before);
  });
});

describe("a stamp", () => {
  it("is current only after the step that wrote it, with the same inputs", () => {
    const stamp = join(root, "dist", ".stamp");
    const before = digest();
    expect(isCurrent(stamp, before)).toBe(false);
    writeStamp(stamp, before);
    expect(isCurrent(stamp, before)).toBe(true);
    writeFileSync(join(root, "src/a.ts"), "changed");
    expect(isCurrent(stamp, digest())).toBe(false);
  });
});
