import { mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, type Options } from "execa";
import { beforeEach, expect, inject, test } from "vitest";
import { startTimeOf } from "../../../src/process-identity.js";
import { PACKAGE_ROOT } from "../../../src/package.js";
import { CAN_FORK } from "./nursery.js";

beforeEach(({ skip }) => skip(!CAN_FORK, "nothing is forked here"));

const folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-test-")));
const forked = process.env["THAWLINE_PYTHON"]!;
const fresh = inject("realPython");

/** Starts a script with these lines; it is forked where its environment is the nursery's. */
function start(lines: string, { python = forked, args = [] as string[], ...options }: Options & StartOptions = {}) {
  const script = join(mkdtempSync(join(folder, "script-")), "script.py");
  writeFileSync(script, lines);
  const env = { PYTHONPATH: join(PACKAGE_ROOT, "python"), ...options.env };
  return execa(python, [script, ...args], { cwd: folder, reject: false, ...options, env });
}

interface StartOptions {
  readonly python?: string;
  readonly args?: string[];
}

/** What the nursery has imported before it forks is there before the script begins. */
const IS_FORKED = "import sys; print('torch' in sys.modules)";

test("is the process asked for: arguments, folder, environment, output, and one thread", async () => {
  const lines = `
import json, os, sys, torch
print(json.dumps([sys.argv[1:], os.getcwd(), sys.path[0], os.environ["FRUIT"], __name__, torch.get_num_threads()]))
print("aside", file=sys.stderr)
`;
  const options = { args: ["a b", "\u00e4"], env: { FRUIT: "plum" } };
  const { stdout, stderr, exitCode } = await start(lines, options);
  expect(exitCode).toBe(0);
  expect(JSON.parse(String(stdout))).toEqual([
    ["a b", "\u00e4"],
    folder,
    expect.stringContaining("script-"),
    "plum",
    "__main__",
    1,
  ]);
  expect(stderr).toBe("aside");
});

test("makes files as the process that asks would: by its umask", async () => {
  const before = process.umask(0o027);
  try {
    const made = "import os; open('made', 'w').close(); print(oct(os.stat('made').st_mode & 0o777))";
    expect(String((await start(made)).stdout)).toBe("0o640");
  } finally {
    process.umask(before);
  }
});

test("gives what it cannot fork to the real interpreter", async () => {
  const isForked = async (env: Record<string, string>): Promise<string> =>
    String((await start(IS_FORKED, { env })).stdout);
  expect(await isForked({})).toBe("True");
  expect(await isForked({ OMP_NUM_THREADS: "1" })).toBe("True");
  expect(await isForked({ OMP_NUM_THREADS: "2" })).toBe("False");
  expect(await isForked({ MALLOC_ARENA_MAX: "1" })).toBe("False");
  expect(await isForked({ PYTHONPATH: folder })).toBe("False");
  expect((await execa(forked, ["-c", IS_FORKED])).stdout).toBe("False");
});

test.each([
  ["returns", "", { exitCode: 0 }],
  ["exits with a code", "raise SystemExit(7)", { exitCode: 7 }],
  ["exits with a word", "raise SystemExit('no')", { exitCode: 1, stderr: "no" }],
  ["is killed", "import os; os.kill(os.getpid(), 9)", { signal: "SIGKILL" }],
  ["aborts", "import os; os.abort()", { signal: "SIGABRT" }],
  ["exits by os._exit", "import os; os._exit(5)", { exitCode: 5 }],
])("ends as its process, which %s", async (_, lines, end) => {
  expect(await start(lines)).toMatchObject(end);
});

test("an exception is told as Python tells it", async () => {
  const lines = "def fail():\n    return 1 / 0\nfail()\n";
  const [seen, expected] = await Promise.all([start(lines), start(lines, { python: fresh })]);
  const told = ({ stderr }: typeof seen): string => String(stderr).replaceAll(/script-\w+/g, "");
  expect(told(seen)).toBe(told(expected));
  expect(seen.exitCode).toBe(1);
});

/** Says its process id and that of a child of its own, and waits for ever. */
const FAMILY = `
import os, time
pid = os.fork()
if pid != 0:
    os.write(1, f"{os.getpid()} {pid}".encode())
time.sleep(1e6)
`;

test("a killed stub takes the process and its children with it", async () => {
  const stub = start(FAMILY);
  const pids = await new Promise<number[]>((resolve) =>
    stub.stdout!.once("data", (data: Buffer) => resolve(data.toString().split(" ").map(Number))),
  );
  expect(pids.map((pid) => startTimeOf(pid) === null)).toEqual([false, false]);
  stub.kill("SIGKILL");
  await expect.poll(() => pids.map(startTimeOf)).toEqual([null, null]);
});

test("signals reach the process", async () => {
  const lines = `
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"term\\n"), exit(3)))
os.write(1, b"ready\\n")
time.sleep(1e6)
`;
  const stub = start(lines);
  stub.stdout!.once("data", () => stub.kill("SIGTERM"));
  expect(await stub).toMatchObject({ exitCode: 3, stdout: "ready\nterm" });
});

test("trains the same bits as a new process", async () => {
  const lines = readFileSync(join(PACKAGE_ROOT, "examples", "plain_loop.py"), "utf8");
  const [seen, expected] = await Promise.all([start(lines), start(lines, { python: fresh })]);
  expect(seen.stdout).toMatch(/weights_sha256 [0-9a-f]{64}/);
  expect(seen.stdout).toBe(expected.stdout);
});
