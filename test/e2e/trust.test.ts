import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeLine } from "../../src/journal/decode.js";
import { encodeRecord } from "../../src/journal/format.js";
import { CommandLine } from "./command-line.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
  const { folder } = commandLine;
  mkdirSync(join(folder, "project"));
  mkdirSync(join(folder, "Downloads"));
  for (const place of ["project", "Downloads"]) {
    writeFileSync(join(folder, place, "net.py"), "from torch.hub import load\nimport torch\n");
    writeFileSync(join(folder, place, "own.yaml"), configOf("net:build"));
    writeFileSync(join(folder, place, "hub.yaml"), configOf("torch.hub:load"));
  }
});
afterAll(() => commandLine.close());

function configOf(kind: string): string {
  const model = { kind, options: { repo: "x" }, blocks: [{ name: "b", pattern: ".*" }], head: "h" };
  return JSON.stringify({ preset: "quickstart", model, train: { updates: 12 }, intervention: { k: 5 } });
}

async function run(...args: string[]): Promise<string> {
  const started = await commandLine.start(["run", ...args, "--headless", "--run-dir", "begun"]);
  rmSync(join(commandLine.folder, "begun"), { recursive: true, force: true });
  return commandLine.seen(started);
}

describe("a configuration that names a model by import path", () => {
  test("is run where it is of the project, and needs `--trust` where it is not", async () => {
    expect(await run("Downloads/own.yaml")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`Downloads/own.yaml\` is not of the project that you are in, and would run \`net:build\` in \`CWD/Downloads\`

      hint: look at what that is, and add \`--trust\` if you want it to run"
    `);
    expect(await run("Downloads/own.yaml", "--trust")).toMatch(/^exit code 0\n/);
  });

  test("needs `--trust` for what is no module of the project", async () => {
    cpSync(join(commandLine.folder, "project", "hub.yaml"), join(commandLine.folder, "hub.yaml"));
    expect(await run("hub.yaml")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`hub.yaml\`: \`model.kind\` is \`torch.hub:load\`, and \`torch\` is no module in a folder of the project that you are in (\`model.folder\` is \`CWD\`)

      hint: set \`model.folder\` to the folder of your module, or add \`--trust\` if you want it to run whatever it is"
    `);
    expect(await run("hub.yaml", "--trust")).toMatch(/^exit code 0\n/);
  });

  test("is the user's own where the command line names the model", async () => {
    const own = ["model.kind=torch.hub:load", "model.folder=.", "model.options={}"];
    expect(await run("hub.yaml", ...own)).toMatch(/^exit code 0\n/);
  });

  test("is run with the module beside it", async () => {
    for (const file of ["net.py", "own.yaml"])
      cpSync(join(commandLine.folder, "project", file), join(commandLine.folder, file));
    expect(await run("own.yaml")).toMatch(/^exit code 0\n/);
  });
});

describe("a run folder whose journal names a command", () => {
  const EVIL = "touch done; exit 3";

  /** What a stranger sends: the run of a script, and whatever mark there was beside it. Here it is a copy as well. */
  function sent(from: string, to: string): void {
    const { folder } = commandLine;
    cpSync(join(folder, from), join(folder, to), { recursive: true });
    const [first = "", ...rest] = readFileSync(join(folder, to, "journal"), "utf8").split("\n");
    const changed = JSON.stringify(decodeLine(first, 0)).replace("exit 3", EVIL);
    writeFileSync(
      join(folder, to, "journal"),
      [encodeRecord(JSON.parse(changed) as never).trimEnd(), ...rest].join("\n"),
    );
  }

  test("is resumed by whoever started it, and by others with `--trust`", async () => {
    const { folder } = commandLine;
    await commandLine.run("attach", "--headless", "--run-dir", "mine", "--", "sh", "-c", "exit 3");
    expect(existsSync(join(folder, "mine", "mark"))).toBe(true);
    expect(await commandLine.run("resume", "mine", "--headless")).toMatch(/^exit code 1\n/);
    sent("mine", "theirs");
    expect(await commandLine.refused("resume", "theirs", "--as-copy")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/theirs\` carries no mark of yours, and resuming it would run \`sh -c touch done; exit 3\` in \`CWD\`

      hint: look at its \`journal\`, and add \`--trust\` if you want that to run; runs that you start are marked (\`mark\`)"
    `);
    expect(await commandLine.run("resume", "theirs", "--as-copy", "--trust", "--headless")).toMatch(/^exit code 1\n/);
    expect(existsSync(join(folder, "done"))).toBe(true);
    // Trusted once.
    expect(await commandLine.run("resume", "theirs", "--headless")).toMatch(/^exit code 1\n/);
  });

  test("is resumed nowhere else: on another account the same folder is a stranger's", async () => {
    const env = { XDG_CONFIG_HOME: join(commandLine.folder, "other-settings") };
    const { exitCode, stderr } = await commandLine.start(["resume", "mine"], undefined, env);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("carries no mark of yours")]);
  });

  test("begins without a place for the key, and says once what that means", async () => {
    writeFileSync(join(commandLine.folder, "no-folder"), "");
    const env = { XDG_CONFIG_HOME: join(commandLine.folder, "no-folder") };
    const args = ["attach", "--headless", "--run-dir", "keyless", "--", "sh", "-c", "exit 3"];
    const { exitCode, stderr } = await commandLine.start(args, undefined, env);
    expect(exitCode).toBe(1);
    expect(
      stderr.match(/^note: .*trust\.key` cannot be written \(ENOTDIR\): `resume` will ask for `--trust`$/gm),
    ).toHaveLength(1);
  });
});
