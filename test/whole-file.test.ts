import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFile, modeInside, removeAsidesOfTheDead, replaceFile } from "../src/whole-file.js";
import { mountTinyDisk } from "./support/tiny-disk.js";

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-test-"));
  umask = process.umask(0o022);
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true });
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("a file that is written whole", () => {
  it.each([0, 0o022, 0o077, 0o777])("has its mode, whatever the umask: %o", (mask) => {
    process.umask(mask);
    replaceFile(join(folder, "a"), "text", 0o600);
    expect(createFile(join(folder, "b"), "text", 0o640)).toBe(true);
    process.umask(umask);
    expect([modeOf(join(folder, "a")), modeOf(join(folder, "b"))]).toEqual([0o600, 0o640]);
  });

  it("takes the place of another one, also of a link, and leaves nothing beside it", () => {
    writeFileSync(join(folder, "elsewhere"), "theirs");
    symlinkSync(join(folder, "elsewhere"), join(folder, "file"));
    replaceFile(join(folder, "file"), "é".repeat(100_000), 0o600);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("é".repeat(100_000));
    expect(readFileSync(join(folder, "elsewhere"), "utf8")).toBe("theirs");
    expect(readdirSync(folder).sort()).toEqual(["elsewhere", "file"]);
  });

  it("is made once where it must not be there yet", () => {
    expect(createFile(join(folder, "file"), "first", 0o600)).toBe(true);
    expect(createFile(join(folder, "file"), "second", 0o600)).toBe(false);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("first");
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("in a folder that is gone is refused with its place, and brings no folder back", () => {
    const path = join(folder, "gone", "file");
    expect(() => replaceFile(path, "text", 0o600)).toThrow(
      expect.objectContaining({
        code: "unwritable_file",
        message: `\`${path}\` cannot be written (ENOENT: its folder does not exist)`,
      }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it("over a folder is refused, and leaves nothing beside it", () => {
    mkdirSync(join(folder, "taken"));
    expect(() => replaceFile(join(folder, "taken"), "text", 0o600)).toThrow(/cannot be written \(EISDIR/);
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});

it("a file in a run folder is for the group where the folder is, and for nobody else", () => {
  const modes = [0o700, 0o750, 0o777].map((mode) => {
    const run = join(folder, mode.toString(8));
    mkdirSync(run);
    spawnSync("chmod", [mode.toString(8), run]);
    return modeInside(run);
  });
  expect(modes).toEqual([0o600, 0o640, 0o640]);
});

describe("what was being written", () => {
  it("when its process died is removed, also by earlier versions; what lives, and all else, stays", () => {
    const { pid: dead } = spawnSync("true");
    const left = [
      `.results.json.tmp-${dead}-0a1b2c3d`,
      `results.json.tmp-${dead}`,
      `.lock-${dead}-1700000000000`,
      `.results.json.tmp-1-0a1b2c3e`,
    ];
    const kept = [`.results.json.tmp-${process.ppid}-0a1b2c3d`, "results.json", ".tmp", `${dead}`];
    for (const name of [...left, ...kept]) writeFileSync(join(folder, name), "");
    // The id is in use again, but no write takes a day.
    utimesSync(join(folder, left[3]!), 0, 0);
    removeAsidesOfTheDead(folder);
    expect(readdirSync(folder).sort()).toEqual(kept.sort());
  });

  it("is nothing in a folder that is gone", () => {
    expect(() => removeAsidesOfTheDead(join(folder, "gone"))).not.toThrow();
  });
});

const disk = mountTinyDisk(64);
afterAll(() => disk?.remove());

// Needs the right to mount a small file system (root).
describe.skipIf(disk === null)("on a disk with too little room", () => {
  it("the good file stays as it was, nothing is left beside it, and the same goes well with room", () => {
    const path = join(disk!.folder, "results.json");
    replaceFile(path, "good", 0o600);
    // The system takes what fits, and says that it did.
    for (const room of [0, 8192]) {
      disk!.fillUpTo(room);
      expect(() => replaceFile(path, "x".repeat(20_014), 0o600)).toThrow(
        `\`${path}\` cannot be written (ENOSPC: no room left on the disk)`,
      );
      expect(readFileSync(path, "utf8")).toBe("good");
      expect(readdirSync(disk!.folder).sort()).toEqual(["ballast", "results.json"]);
    }
    disk!.makeRoom();
    replaceFile(path, "x".repeat(20_014), 0o600);
    expect(readFileSync(path, "utf8")).toHaveLength(20_014);
  });
});
