import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledDataFolder } from "../../src/config/checks/paths.js";
import { CommandLine, SETTINGS } from "./command-line.js";

let commandLine: CommandLine;
beforeAll(async () => {
  commandLine = await CommandLine.open();
});
afterAll(() => {
  commandLine.close();
});

describe("npx thawline run refuses", () => {
  test("an unknown key", async () => {
    expect(await commandLine.refused("run", "quickstart", "sed=3")).toMatchInlineSnapshot(`
      "exit code 2
      error: command line: unknown key \`sed\`

      hint: did you mean \`seed\`?"
    `);
  });

  test("a value of the wrong type", async () => {
    expect(await commandLine.refused("run", "quickstart", "train.updates=abc")).toMatchInlineSnapshot(`
      "exit code 2
      error: command line: \`train.updates\`: expected a number, got \`abc\`

      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });

  test("an unknown preset", async () => {
    expect(await commandLine.refused("run", "quikstart")).toMatchInlineSnapshot(`
      "exit code 2
      error: there is no preset \`quikstart\`

      hint: did you mean \`quickstart\`? (presets are \`cifar10-resnet18\`, \`cifar10-vgg11\`, \`cifar100-resnet18\`, \`mnist-resnet18\`, \`mnli-xlmr-lora\`, \`quickstart\`, \`squad-xlmr-lora\`, \`transfer-small\`, \`transfer-source\`, \`xquad-small\`; a file is given by its path, like \`./my.yaml\`)"
    `);
  });

  test("data that are not there", async () => {
    expect(await commandLine.refused("run", "quickstart", "data.path=nowhere")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`data.path\` names \`CWD/nowhere\`, which does not exist

      hint: set \`data.path\` to a folder with the four MNIST files, or leave it out to use those that come with thawline"
    `);
  });

  test("a folder that lacks data", async () => {
    expect(await commandLine.refused("run", "quickstart", "data.path=finished")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/finished\` lacks \`train-images-idx3-ubyte\`, \`train-labels-idx1-ubyte\`, \`t10k-images-idx3-ubyte\`, \`t10k-labels-idx1-ubyte\`

      hint: set \`data.path\` to a folder with the four MNIST files, or leave it out to use those that come with thawline"
    `);
  });

  test("a run folder below a file", async () => {
    expect(await commandLine.refused("run", "quickstart", "--run-dir", "scripted-python/run")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/scripted-python/run\` cannot be written (ENOTDIR)

      hint: choose a writable folder with \`--run-dir\`"
    `);
  });

  test("a run folder that exists", async () => {
    expect(await commandLine.refused("run", "quickstart", "--run-dir", "finished")).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/finished\` exists and is not an empty folder

      hint: go on with it by \`npx thawline resume CWD/finished\`, or choose another \`--run-dir\`"
    `);
  });

  test("an interpreter that is not there", async () => {
    const result = await commandLine.start(["run", "quickstart", "--run-dir", "new"], "/nonexistent");
    expect(commandLine.seen(result)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`/nonexistent\` cannot be run as Python

      hint: point \`THAWLINE_PYTHON\` at Python 3.11 or newer, or set one up with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
    expect(readdirSync(commandLine.folder)).not.toContain("new");
  });

  test("an interpreter without PyTorch", async () => {
    // -S leaves out site-packages, as a bare installation would.
    const bare = join(commandLine.folder, "bare-python");
    writeFileSync(bare, `#!/bin/sh\nexec "${commandLine.python}" -I -S "$@"\n`, { mode: 0o755 });
    const result = await commandLine.start(["run", "quickstart", "--run-dir", "new"], bare);
    expect(commandLine.seen(result)).toMatchInlineSnapshot(`
      "exit code 2
      error: \`CWD/bare-python\` lacks the packages \`torch\`, \`numpy\`, \`scipy\`, \`pillow\`, \`safetensors\`, \`pyzmq\`, \`msgspec\`

      hint: run \`CWD/bare-python -m pip install torch numpy scipy pillow safetensors pyzmq msgspec\`, or set up an environment with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
    expect(readdirSync(commandLine.folder)).not.toContain("new");
  });
});

test("a worker that finds its data corrupt ends the run as failed", async () => {
  const data = join(commandLine.folder, "data");
  cpSync(bundledDataFolder(), data, { recursive: true });
  truncateSync(join(data, "t10k-images-idx3-ubyte"), 1000);
  const result = await commandLine.start(
    ["run", "quickstart", "data.path=data", "--run-dir", "corrupt", "--json"],
    commandLine.python,
  );
  expect(commandLine.complaint(result)).toMatchInlineSnapshot(`
    "exit code 2
    error: CWD/data/t10k-images-idx3-ubyte is not a valid IDX file: its header announces 7840016 bytes in all, but there are 1000

    hint: fetch the file again"
  `);
  const results = JSON.parse(readFileSync(join(commandLine.folder, "corrupt", "results.json"), "utf8")) as object;
  expect(results).toMatchObject({ outcome: "failed", updates: 0, attempts: 1 });
});

test("a run whose worker is lost says so on stderr, with the end of its output", async () => {
  const crashing = commandLine.writePython("crashing-python", `echo "no such device"; exit 7`);
  const settings = [...SETTINGS, "supervision.max_restarts=0"];
  const result = await commandLine.start(["run", "quickstart", ...settings, "--run-dir", "lost", "--json"], crashing);
  expect(commandLine.complaint(result)).toMatchInlineSnapshot(`
    "exit code 1
    note: left out \`probe.every\`, \`probe.points\`, \`probe.metrics\`, \`probe.scope\`, without effect: \`intervention.k\` is 5, and \`probe.until\` is \`decision\`: nothing is measured (\`probe.until=end\` measures)
    note: left out \`intervention.signal\`, without effect: \`intervention.k\` is 5
    error: the worker failed: it exited with code 7 without closing before training

    hint: the end of \`worker.log\`:
    no such device"
  `);
});

test("a run goes on when nobody reads what it says any more", async () => {
  const run = commandLine.start(["run", "quickstart", ...SETTINGS, "--run-dir", "unread", "--json"]);
  // Leaving the loop closes the pipe.
  for await (const line of run) if (line !== "") break;
  expect((await run).exitCode).toBe(0);
  const results = JSON.parse(readFileSync(join(commandLine.folder, "unread", "results.json"), "utf8")) as object;
  expect(results).toMatchObject({ outcome: "finished", updates: 12 });
});
