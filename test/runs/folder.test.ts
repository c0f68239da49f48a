import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseRunFolder, closeToOthers, createRunFolder, readRunConfig, runTimestamp } from "../../src/runs/folder.js";
import { thisHolder } from "../../src/claims/holder.js";
import { loadConfig } from "../../src/config/layers/load.js";

const NOW = new Date("2026-03-04T05:06:07.890Z");

let cwd: string;
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const config = loadConfig({ source: "quickstart", overrides: ["name=digits"], env: {}, cwd: "/" });

test("a run's time is in UTC and holds nothing that a shell or a file system minds", () => {
  expect(runTimestamp(NOW)).toBe("20260304T050607Z");
});

describe("the folder of a new run", () => {
  test("is the one that was asked for, from the current folder", () => {
    expect(chooseRunFolder(config, "here/now", "/home/ada", NOW)).toBe("/home/ada/here/now");
    expect(chooseRunFolder(config, "/there", "/home/ada", NOW)).toBe("/there");
  });

  test("is named by run and time, and numbered within one second", () => {
    const chosen = [1, 2, 3].map(() => {
      const folder = createRunFolder(chooseRunFolder(config, undefined, cwd, NOW), config, { numbered: true });
      return folder.slice(cwd.length);
    });
    expect(chosen).toEqual([
      "/runs/digits-20260304T050607Z",
      "/runs/digits-20260304T050607Z-2",
      "/runs/digits-20260304T050607Z-3",
    ]);
  });

  test.each([0, 0o022, 0o777])("is for nobody but the user, whatever the umask: %o", (mask) => {
    const umask = process.umask(mask);
    try {
      createRunFolder(join(cwd, "run"), config);
      createRunFolder(join(cwd, "shared"), config, { groupReadable: true });
    } finally {
      process.umask(umask);
    }
    const modes = ["run", "run/config.yaml", "shared", "shared/config.yaml"].map((name) => modeOf(join(cwd, name)));
    expect(modes).toEqual([0o700, 0o600, 0o750, 0o640]);
  });

  test("that is there and empty is closed to others as well", () => {
    const folder = join(cwd, "run");
    mkdirSync(folder);
    chmodSync(folder, 0o2775);
    createRunFolder(folder, config);
    expect(statSync(folder).mode & 0o7777).toBe(0o2700);
  });

  test("may exist if it is empty, and gives back the configuration that it was made with", () => {
    createRunFolder(cwd, config);
    expect(readdirSync(cwd)).toEqual(["config.yaml"]);
    expect(readRunConfig(cwd)).toEqual(config);
  });

  test("is left alone if something is in it, and the way on is named", () => {
    writeFileSync(join(cwd, "notes"), "mine");
    const noRun = { code: "run_exists", hint: "choose another `--run-dir`: no run is in this one" };
    expect(() => createRunFolder(cwd, config)).toThrow(expect.objectContaining(noRun));
    expect(() => createRunFolder(join(cwd, "notes"), config)).toThrow(expect.objectContaining(noRun));
    expect(readdirSync(cwd)).toEqual(["notes"]);
    const run = createRunFolder(join(cwd, "run"), config);
    expect(() => createRunFolder(run, config)).toThrow(
      expect.objectContaining({ code: "run_exists", hint: expect.stringContaining(`resume ${run}\``) as string }),
    );
  });

  test("that holds only what a dead process was writing is as good as empty", () => {
    const { pid } = spawnSync("true");
    const folder = join(cwd, "run");
    mkdirSync(folder);
    writeFileSync(join(folder, `.config.yaml.tmp-${pid}-0a1b2c3d`), "name: di");
    createRunFolder(folder, config);
    expect(readRunConfig(folder)).toEqual(config);
  });

  test("has what is to be there first before its configuration, and is free where only that was left", () => {
    const folder = join(cwd, "run");
    const seen: string[][] = [];
    const first = {
      name: "mark",
      write: (made: string) => {
        seen.push(readdirSync(made).filter((name) => !name.startsWith("claim.")));
        writeFileSync(join(made, "mark"), "mine");
      },
    };
    createRunFolder(folder, config, { first });
    rmSync(join(folder, "config.yaml"));
    expect(() => createRunFolder(folder, config)).toThrow(expect.objectContaining({ code: "run_exists" }));
    createRunFolder(folder, config, { first });
    expect(seen).toEqual([[], ["mark"]]);
    expect(readdirSync(folder).sort()).toEqual(["config.yaml", "mark"]);
  });

  test("is one process's from the first file on: another that comes meanwhile leaves nothing in it", () => {
    const folder = join(cwd, "run");
    const write = (text: string) => (made: string) => writeFileSync(join(made, "mark"), text);
    const theirs = { first: { name: "mark", write: write("theirs") }, groupReadable: true };
    const other = loadConfig({ source: "quickstart", overrides: ["seed=7"], env: {}, cwd });
    const first = {
      name: "mark",
      write: (made: string) => {
        expect(() => createRunFolder(folder, other, theirs)).toThrow(expect.objectContaining({ code: "run_exists" }));
        expect(readdirSync(folder).filter((name) => !name.startsWith("claim."))).toEqual([]);
        write("mine")(made);
        expect(() => createRunFolder(folder, other, theirs)).toThrow(expect.objectContaining({ code: "run_exists" }));
      },
    };
    createRunFolder(folder, config, { first });
    expect(readdirSync(folder).sort()).toEqual(["config.yaml", "mark"]);
    expect(readFileSync(join(folder, "mark"), "utf8")).toBe("mine");
    expect(readRunConfig(folder)).toEqual(config);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test("that a process died in while it made it is another's to make", () => {
    const folder = join(cwd, "run");
    mkdirSync(folder);
    const { pid } = spawnSync("true");
    const dead = { ...thisHolder(folder, 1000, {}), pid };
    writeFileSync(join(folder, "claim.1"), JSON.stringify(dead));
    createRunFolder(folder, config);
    expect(readdirSync(folder)).toEqual(["config.yaml"]);
  });

  test("that cannot be made leaves nothing behind", () => {
    writeFileSync(join(cwd, "notes"), "mine");
    const folder = join(cwd, "notes", "run");
    expect(() => createRunFolder(folder, config)).toThrow(expect.objectContaining({ code: "unwritable_run_folder" }));
    expect(readdirSync(cwd)).toEqual(["notes"]);
  });
});

describe("a run folder is closed to others when its run goes on", () => {
  test.each([
    [0o777, 0o700],
    [0o755, 0o700],
    [0o770, 0o700],
    [0o750, 0o750],
    [0o500, 0o700],
  ])("%o becomes %o", (before, after) => {
    chmodSync(cwd, before);
    expect(closeToOthers(cwd)).toBe(true);
    expect(modeOf(cwd)).toBe(after);
  });
});

test("a configuration that is none is refused by name", () => {
  for (const text of ["name: [", "", "- 1", "name: x\nscript: 3"]) {
    writeFileSync(join(cwd, "config.yaml"), text);
    expect(() => readRunConfig(cwd)).toThrow(expect.objectContaining({ code: "damaged_run_config" }));
  }
});

describe("processes that begin runs at the same moment", () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  async function beginner(): Promise<(line: string) => Promise<string>> {
    const script = fileURLToPath(new URL("../fixtures/processes/make-run-folder.mjs", import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async (): Promise<string> => String((await lines.next()).value);
    expect(await answer()).toBe("up");
    return (line) => {
      child.stdin.write(`${line}\n`);
      return answer();
    };
  }

  test("never share a folder: each makes one of its own, and of one that was asked for, one alone", async () => {
    const beginners = await Promise.all([1, 2, 3, 4].map(beginner));
    const meet = (line: (time: number) => string): Promise<string[]> => {
      const time = Date.now() + 20;
      return Promise.all(beginners.map((begin) => begin(line(time))));
    };
    const nameIn = (path: string): string => readFileSync(join(path, "config.yaml"), "utf8");
    for (let round = 0; round < 60; round += 1) {
      const folder = join(cwd, `runs-${round}`, "same-second");
      const made = (await meet((time) => `${folder} ${time} numbered`)).map((answer) => answer.replace("made ", ""));
      expect(new Set(made).size).toBe(4);
      expect(new Set(made.map(nameIn)).size).toBe(4);
      const asked = join(cwd, `asked-${round}`);
      if (round % 2 === 0) mkdirSync(asked);
      const answers = await meet((time) => `${asked} ${time} exactly`);
      expect(answers.sort()).toEqual(["lost run_exists", "lost run_exists", "lost run_exists", `made ${asked}`]);
    }
  });
});
