import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors.js";
import { findPython } from "../../src/launch/python.js";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "thawline-python-")));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** An executable that answers as an interpreter of this version with these modules missing would. */
function fakePython(path: string, version: readonly number[], missing: readonly string[] = []): string {
  return script(path, `echo 'site message'\necho '${JSON.stringify({ version, missing })}'`);
}

function script(path: string, body: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

const find = (env: NodeJS.ProcessEnv) => findPython({ env: { PATH: join(root, "path"), ...env }, packageRoot: root });

async function refusal(env: NodeJS.ProcessEnv): Promise<string> {
  const error: unknown = await find(env).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw error;
  return [error.code, error.message, error.hint].join("\n").replaceAll(root, "ROOT");
}

describe("findPython", () => {
  it("prefers THAWLINE_PYTHON, the active environments, the package's own, and then python3", async () => {
    const onPath = fakePython("path/python3", [3, 11, 0]);
    expect(onPath).toContain("python3");
    expect(await find({})).toEqual({ command: "python3", version: "3.11.0" });

    const own = fakePython(".venv/bin/python", [3, 11, 1]);
    expect(await find({})).toEqual({ command: own, version: "3.11.1" });

    const conda = fakePython("conda/bin/python", [3, 12, 0]);
    const CONDA_PREFIX = join(root, "conda");
    expect(await find({ CONDA_PREFIX })).toEqual({ command: conda, version: "3.12.0" });

    const active = fakePython("active/bin/python", [3, 13, 0]);
    const VIRTUAL_ENV = join(root, "active");
    expect(await find({ CONDA_PREFIX, VIRTUAL_ENV })).toEqual({ command: active, version: "3.13.0" });

    const THAWLINE_PYTHON = fakePython("chosen", [4, 0, 0]);
    expect(await find({ CONDA_PREFIX, VIRTUAL_ENV, THAWLINE_PYTHON })).toEqual({
      command: THAWLINE_PYTHON,
      version: "4.0.0",
    });
  });

  it("passes over an active environment that lacks something, but never over THAWLINE_PYTHON", async () => {
    const own = fakePython(".venv/bin/python", [3, 11, 1]);
    fakePython("conda/bin/python", [3, 12, 0], ["torch"]);
    const CONDA_PREFIX = join(root, "conda");
    expect((await find({ CONDA_PREFIX })).command).toBe(own);
    expect(await refusal({ THAWLINE_PYTHON: join(root, "conda/bin/python") })).toMatchInlineSnapshot(`
      "missing_python_package
      \`ROOT/conda/bin/python\` lacks the package \`torch\`
      run \`ROOT/conda/bin/python -m pip install torch\`, or set up an environment with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
  });

  it("names pip's packages, not modules", async () => {
    fakePython("path/python3", [3, 11, 1], ["zmq", "PIL"]);
    expect(await refusal({})).toMatchInlineSnapshot(`
      "missing_python_package
      \`python3\` lacks the packages \`pyzmq\`, \`pillow\`
      run \`python3 -m pip install pyzmq pillow\`, or set up an environment with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
  });

  it("refuses an old Python", async () => {
    fakePython("path/python3", [3, 10, 14]);
    expect(await refusal({})).toMatchInlineSnapshot(`
      "python_too_old
      \`python3\` is Python 3.10.14, but thawline needs 3.11 or newer
      point \`THAWLINE_PYTHON\` at a newer one, or set one up with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
    fakePython("path/python3", [2, 7, 18]);
    expect(await refusal({})).toContain("python_too_old");
  });

  it("says what an interpreter that does not run printed", async () => {
    const THAWLINE_PYTHON = script("broken", "echo 'libpython3.12.so: no such file' >&2\nexit 127");
    expect(await refusal({ THAWLINE_PYTHON })).toMatchInlineSnapshot(`
      "no_python
      \`ROOT/broken\` cannot be run as Python: libpython3.12.so: no such file
      point \`THAWLINE_PYTHON\` at Python 3.11 or newer, or set one up with \`node ROOT/scripts/bootstrap.mjs\`"
    `);
    expect(await refusal({ THAWLINE_PYTHON: script("silent", "true") })).toContain("no_python");
    expect(await refusal({ THAWLINE_PYTHON: join(root, "absent") })).toContain("`ROOT/absent` cannot be run as Python");
    expect(await refusal({})).toContain("`python3` cannot be run as Python");
  });

  it("understands the interpreter that runs the tests", async () => {
    const own = join(import.meta.dirname, "../../.venv/bin/python");
    const THAWLINE_PYTHON = process.env["THAWLINE_PYTHON"] ?? (existsSync(own) ? own : "python3");
    const python = await findPython({ env: { ...process.env, THAWLINE_PYTHON }, packageRoot: root });
    expect(python.version).toMatch(/^3\.\d+\.\d+$/);
  });
});
