import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readControlFiles, removeControlFile } from "../../src/control/read.js";

let folder: string;
let inbox: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-control-"));
  inbox = join(folder, "control");
  mkdirSync(inbox);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const good = { id: "a", epoch: 1, who: "me", command: { verb: "pause" } };

function found(name: string, content: string): unknown {
  writeFileSync(join(inbox, name), content);
  return readControlFiles(folder).map(({ request }) => request);
}

describe("readControlFiles", () => {
  it("makes the folder where there is none", () => {
    rmSync(inbox, { recursive: true });
    expect(readControlFiles(folder)).toEqual([]);
    expect(existsSync(inbox)).toBe(true);
  });

  it("reads commands oldest first", () => {
    for (const [index, id] of ["c", "a", "b"].entries()) {
      writeFileSync(join(inbox, `${id}.json`), JSON.stringify({ ...good, id }));
      utimesSync(join(inbox, `${id}.json`), index, index);
    }
    expect(readControlFiles(folder).map(({ request }) => request!.id)).toEqual(["c", "a", "b"]);
  });

  it.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["no object", "[1]"],
    ["null", "null"],
    ["no id", JSON.stringify({ ...good, id: undefined })],
    ["a text as epoch", JSON.stringify({ ...good, epoch: "1" })],
    ["nobody", JSON.stringify({ ...good, who: null })],
    ["no command", JSON.stringify({ ...good, command: null })],
    ["an unknown verb", JSON.stringify({ ...good, command: { verb: "explode" } })],
    ["a fraction as update", JSON.stringify({ ...good, command: { verb: "pause", at: 1.5 } })],
    ["update 0", JSON.stringify({ ...good, command: { verb: "pause", at: 0 } })],
    ["a rate without a factor", JSON.stringify({ ...good, command: { verb: "set-lr" } })],
    ["a text as factor", JSON.stringify({ ...good, command: { verb: "set-lr", factor: "1" } })],
    ["too much", JSON.stringify({ ...good, padding: "x".repeat(4096) })],
  ])("finds a file that holds %s, and no command in it", (_, content) => {
    expect(found("a.json", content)).toEqual([null]);
  });

  it("overlooks files that are still being written, folders and links", () => {
    mkdirSync(join(inbox, "folder.json"));
    symlinkSync("/nowhere", join(inbox, "link.json"));
    writeFileSync(join(inbox, "notes.txt"), "");
    expect(found(".hidden.json", JSON.stringify(good))).toEqual([]);
  });
});

describe("removeControlFile", () => {
  it("takes a command off the pile", () => {
    writeFileSync(join(inbox, "a.json"), JSON.stringify(good));
    removeControlFile(readControlFiles(folder)[0]!.path);
    expect(readControlFiles(folder)).toEqual([]);
  });
});
