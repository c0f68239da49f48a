import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { PACKAGE_ROOT } from "../src/package.js";
import names from "../scripts/chaos/failpoints.json" with { type: "json" };

/** What each language's program does: it passes the place three times, and says so. */
const PROGRAMS = {
  controller: (name: string): [string, string[]] => {
    const url = join(PACKAGE_ROOT, "dist", "failpoint.js");
    const code = `import { failpoint } from "${url}"; for (const n of [1, 2, 3]) { failpoint("${name}"); console.log(n); }`;
    return [process.execPath, ["--input-type=module", "-e", code]];
  },
  worker: (name: string): [string, string[]] => {
    const code = `from thawline.failpoint import failpoint\nfor n in (1, 2, 3):\n  failpoint("${name}"); print(n, flush=True)`;
    return [inject("realPython"), ["-c", code]];
  },
};

function run(language: keyof typeof PROGRAMS, name: string, setting?: string) {
  const [command, args] = PROGRAMS[language](name);
  const environment = { ...process.env, PYTHONPATH: join(PACKAGE_ROOT, "python") };
  const armed = setting === undefined ? environment : { ...environment, THAWLINE_FAILPOINT: setting };
  const { stdout, stderr, signal, status } = spawnSync(command, args, { env: armed, encoding: "utf8" });
  return { passed: stdout.split("\n").filter(Boolean).length, stderr, signal, status };
}

describe.each(["controller", "worker"] as const)("failpoints of the %s", (language) => {
  test("without the variable nothing happens", () => {
    expect(run(language, "a.place")).toMatchObject({ passed: 3, status: 0 });
  });

  test("a process dies at the passage that is named, and at no other place", () => {
    expect(run(language, "a.place", "a.place:2")).toMatchObject({ passed: 1, signal: "SIGKILL" });
    expect(run(language, "a.place", "another.place:1;a.place:4")).toMatchObject({ passed: 3, status: 0 });
  });

  test("with a file only the first process dies, and the file tells of it", () => {
    const file = join(mkdtempSync(join(tmpdir(), "thawline-failpoint-")), "hit");
    const setting = `a.place:3@${file}`;
    expect(run(language, "a.place", setting)).toMatchObject({ passed: 2, signal: "SIGKILL" });
    expect(existsSync(file)).toBe(true);
    expect(run(language, "a.place", setting)).toMatchObject({ passed: 3, status: 0 });
  });

  test("what cannot be read is refused at the first place", () => {
    const refused = run(language, "a.place", "a.place");
    expect(refused).toMatchObject({ passed: 0, status: 1 });
    expect(refused.stderr).toContain("THAWLINE_FAILPOINT: `a.place` is not of the form `name:passage@file`");
  });
});

test.each([
  ["controller", "src", /\bfailpoint\("([^"]+)"\)/g],
  ["worker", "python/thawline", /\bfailpoint\("([^"]+)"\)/g],
] as const)("the list of the %s's places is that of the sources, each once", (language, folder, call) => {
  const found = readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(?:tsx?|py)$/.test(path))
    .flatMap((path) => [...readFileSync(join(PACKAGE_ROOT, folder, path), "utf8").matchAll(call)])
    .map(([, name]) => name);
  expect(found.toSorted()).toEqual(Object.keys(names[language]).toSorted());
});

test("`npm run chaos -- --help` explains itself and starts nothing", () => {
  const help = execFileSync(process.execPath, [join(PACKAGE_ROOT, "scripts/chaos.mjs"), "--help"], {
    encoding: "utf8",
  });
  for (const option of ["--kills", "--seed", "--only", "--run", "--keep"]) expect(help).toContain(option);
});
