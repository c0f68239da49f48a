import { cpSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { JournalRecord } from "../../src/journal/format.js";
import { FolderHistory, isOwnFolder, refuseCopy, watchFolder } from "../../src/runs/folder-identity.js";

let parent: string;
let run: string;
beforeEach(() => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
  run = join(parent, "run");
  mkdirSync(run);
  writeFileSync(join(run, "journal"), "records");
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

const elsewhere = (): string => join(parent, "elsewhere");

describe("a run folder that a controller holds", () => {
  it("is the same while nobody touches it, whatever is written into it", () => {
    const { requireSame } = watchFolder(run, null, false);
    writeFileSync(join(run, "journal"), "more", { flag: "a" });
    mkdirSync(join(run, "inbox"));
    expect(requireSame).not.toThrow();
  });

  it.each<[string, () => void]>([
    ["moved", () => renameSync(run, elsewhere())],
    ["deleted", () => rmSync(run, { recursive: true })],
    ["without its journal", () => rmSync(join(run, "journal"))],
    [
      "replaced by a copy of it",
      () => {
        renameSync(run, elsewhere());
        cpSync(elsewhere(), run, { recursive: true });
      },
    ],
    [
      "made again, empty",
      () => {
        renameSync(run, elsewhere());
        mkdirSync(run);
      },
    ],
    [
      "with another journal",
      () => {
        renameSync(join(run, "journal"), elsewhere());
        cpSync(elsewhere(), join(run, "journal"));
      },
    ],
    [
      "where a file is by now",
      () => {
        renameSync(run, elsewhere());
        writeFileSync(run, "");
      },
    ],
  ])("is noticed to be gone: %s", (_, happen) => {
    const { requireSame } = watchFolder(run, null, false);
    happen();
    expect(requireSame).toThrow(expect.objectContaining({ code: "run_folder_gone" }));
  });
});

describe("whose folder it is", () => {
  const taken = () => watchFolder(run, null, false).folder;

  it("keeps its identity from controller to controller, and a copy gets another one", () => {
    const folder = taken();
    expect(watchFolder(run, folder, false).folder).toEqual(folder);
    cpSync(run, elsewhere(), { recursive: true });
    const copy = watchFolder(elsewhere(), folder, true);
    expect(copy.folder.identity).not.toBe(folder.identity);
    expect(copy.copyOf).toBe(folder.identity);
  });

  it("is a copy while the original is where the journal says", () => {
    const folder = taken();
    cpSync(run, elsewhere(), { recursive: true });
    expect([isOwnFolder(run, folder), isOwnFolder(elsewhere(), folder)]).toEqual([true, false]);
    refuseCopy(run, folder);
    expect(() => refuseCopy(elsewhere(), folder)).toThrow(
      expect.objectContaining({
        code: "run_copied",
        message: `\`${elsewhere()}\` is a copy of the run folder \`${run}\``,
        hint: expect.stringContaining(`resume ${elsewhere()} --as-copy`) as string,
      }),
    );
    rmSync(run, { recursive: true });
    refuseCopy(elsewhere(), folder);
  });

  it("stays the run's own where it is moved, also after a reboot, when devices have other numbers", () => {
    const folder = taken();
    expect(isOwnFolder(run, { ...folder, device: folder.device + 1 })).toBe(true);
    renameSync(run, elsewhere());
    expect(isOwnFolder(elsewhere(), folder)).toBe(true);
    refuseCopy(elsewhere(), folder);
  });

  it("is not to be told of a journal that does not say, or of another machine's", () => {
    expect(isOwnFolder(run, null)).toBe(false);
    refuseCopy(run, null);
    refuseCopy(run, { ...taken(), path: "/on/another/machine", inode: 1 });
  });

  it("is what the newest controller noted", () => {
    const folder = taken();
    const started = { type: "controller/started", term: 1, pid: 1, host: "h" } as const;
    const record = (event: JournalRecord["event"]): JournalRecord => ({ n: 1, term: 1, at: "", event });
    const interrupted = record({ type: "controller/interrupted", signal: "SIGTERM" });
    const noted = (...pieces: JournalRecord[][]) => {
      const history = new FolderHistory();
      for (const piece of pieces) history.take(piece);
      return history.folder;
    };
    expect(noted([record({ ...started, folder })], [interrupted])).toEqual(folder);
    expect(noted([record({ ...started, folder }), record(started)])).toBeNull();
    expect(noted([interrupted])).toBeNull();
  });
});
