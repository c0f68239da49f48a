import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Inbox } from "../../src/inbox/inbox.js";

let folder: string;
let inbox: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-control-"));
  inbox = join(folder, "inbox");
  mkdirSync(inbox);
  notices = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const good = { id: "a", term: 1, who: "me", request: { verb: "pause" } };

let notices: string[];
function look(): Promise<readonly { path: string; file: { id: string } | null }[]> {
  return new Inbox(folder, (line) => notices.push(line)).look();
}

async function found(name: string, content: string): Promise<unknown> {
  writeFileSync(join(inbox, name), content);
  return (await look()).map(({ file }) => file);
}

describe("the inbox", () => {
  it("is made where there is none, for its owner alone, but never its run folder", async () => {
    rmSync(inbox, { recursive: true });
    expect(await look()).toEqual([]);
    expect(existsSync(inbox)).toBe(true);
    rmSync(folder, { recursive: true });
    expect(await look()).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(notices).toEqual([expect.stringContaining("cannot be read (ENOENT)")]);
    mkdirSync(folder);
  });

  it("gives requests oldest first", async () => {
    for (const [index, id] of ["c", "a", "b"].entries()) {
      writeFileSync(join(inbox, `${id}.json`), JSON.stringify({ ...good, id }));
      utimesSync(join(inbox, `${id}.json`), index, index);
    }
    expect((await look()).map(({ file }) => file!.id)).toEqual(["c", "a", "b"]);
  });

  it.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["no object", "[1]"],
    ["null", "null"],
    ["no id", JSON.stringify({ ...good, id: undefined })],
    ["a text as term", JSON.stringify({ ...good, term: "1" })],
    ["nobody", JSON.stringify({ ...good, who: null })],
    ["no request", JSON.stringify({ ...good, request: null })],
    ["an unknown verb", JSON.stringify({ ...good, request: { verb: "explode" } })],
    ["a fraction as update", JSON.stringify({ ...good, request: { verb: "pause", at: 1.5 } })],
    ["update 0", JSON.stringify({ ...good, request: { verb: "pause", at: 0 } })],
    ["a rate without a factor", JSON.stringify({ ...good, request: { verb: "set-lr" } })],
    ["a text as factor", JSON.stringify({ ...good, request: { verb: "set-lr", factor: "1" } })],
    ["too much", JSON.stringify({ ...good, padding: "x".repeat(4096) })],
  ])("finds a file that holds %s, and no request in it", async (_, content) => {
    expect(await found("a.json", content)).toEqual([null]);
  });

  it("overlooks files that are still being written, folders and links, and says so once", async () => {
    mkdirSync(join(inbox, "folder.json"));
    symlinkSync("/nowhere", join(inbox, "link.json"));
    writeFileSync(join(inbox, "notes.txt"), "");
    writeFileSync(join(inbox, ".hidden.json"), JSON.stringify(good));
    const watched = new Inbox(folder, (line) => notices.push(line));
    for (let times = 0; times < 3; times++) expect(await watched.look()).toEqual([]);
    expect(notices).toEqual([expect.stringContaining("holds 3 entries that are no requests")]);
    expect(readdirSync(inbox)).toHaveLength(4);
  });

  it("takes a request off the pile", async () => {
    writeFileSync(join(inbox, "a.json"), JSON.stringify(good));
    const watched = new Inbox(folder);
    const [request] = await watched.look();
    await watched.remove(request!.path);
    expect(await watched.look()).toEqual([]);
    // Somebody else was quicker.
    await watched.remove(request!.path);
  });

  it("gives a request once, also where it cannot be removed", async () => {
    mkdirSync(join(inbox, "a.json"));
    const watched = new Inbox(folder, (line) => notices.push(line));
    await watched.remove(join(inbox, "a.json"));
    rmSync(join(inbox, "a.json"), { recursive: true });
    writeFileSync(join(inbox, "a.json"), JSON.stringify(good));
    expect(await watched.look()).toEqual([]);
    expect(notices).toEqual([expect.stringContaining("was read and cannot be removed")]);
  });

  it("finds a request among a thousand files of others, some of which come and go", async () => {
    for (let index = 0; index < 1000; index++) writeFileSync(join(inbox, `foreign-${index}.txt`), "");
    writeFileSync(join(inbox, "a.json"), JSON.stringify(good));
    const looking = look();
    rmSync(join(inbox, "foreign-1.txt"));
    expect((await looking).map(({ file }) => file!.id)).toEqual(["a"]);
  });

  it("looks past a request that vanishes before it is read", async () => {
    for (let index = 0; index < 200; index++) writeFileSync(join(inbox, `${index}.json`), JSON.stringify(good));
    const looking = look();
    // Between the listing and the reading of it; whichever are read are whole.
    await new Promise((resolve) => setImmediate(resolve));
    for (let index = 0; index < 200; index += 2) rmSync(join(inbox, `${index}.json`));
    expect((await looking).every(({ file }) => file?.id === "a")).toBe(true);
    expect(notices).toEqual([]);
  });

  it("says that it cannot be read, once, and reads again when it can", async () => {
    const watched = new Inbox(folder, (line) => notices.push(line));
    rmSync(inbox, { recursive: true });
    writeFileSync(inbox, "");
    for (let times = 0; times < 3; times++) expect(await watched.look()).toEqual([]);
    expect(notices).toEqual([expect.stringContaining("cannot be read (ENOTDIR): requests do not reach this run")]);
    rmSync(inbox);
    mkdirSync(inbox);
    writeFileSync(join(inbox, "a.json"), JSON.stringify(good));
    expect(await watched.look()).toHaveLength(1);
  });
});
