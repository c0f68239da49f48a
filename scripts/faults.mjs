// Takes away one guard after another, in a copy of this checkout, and looks whether its test goes red:
//
//   npm run faults [-- WORDS]     those of test/faults/mutations.json whose guard, file or test holds WORDS
//
// Exit code 0 only if every test went red. test/faults/README.md is the list in words.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { processesOf, send } from "./chaos/processes.mjs";
import { projectPython, ROOT } from "./python.mjs";

const words = process.argv.slice(2).join(" ");
const mutations = JSON.parse(readFileSync(join(ROOT, "test", "faults", "mutations.json"), "utf8")).filter((mutation) =>
  [mutation.guard, mutation.file, mutation.test].some((text) => text.includes(words)),
);

/** The files that git knows, and what is installed beside them. */
function copyCheckout() {
  const copy = mkdtempSync(join(tmpdir(), "thawline-faults-"));
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const path of listed.toString().split("\0")) {
    if (path === "" || !existsSync(join(ROOT, path))) continue;
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  }
  for (const installed of ["node_modules", ".venv"]) {
    if (existsSync(join(ROOT, installed)) && !existsSync(join(copy, installed))) {
      symlinkSync(join(ROOT, installed), join(copy, installed));
    }
  }
  return copy;
}

/** Runs the one test. Returns whether a test failed (or hung), not only the program that was to run it. */
function goesRed(copy, { test, title }) {
  // A title that holds a value of each case is known up to there.
  const known = title.split(/[%$]/)[0];
  const isPython = test.endsWith(".py");
  const [command, ...args] = isPython
    ? [projectPython(), "-m", "pytest", "-q", "-p", "no:cacheprovider", test, "-k", known]
    : ["npx", "vitest", "run", test, "-t", known.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")];
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: copy, encoding: "utf8", maxBuffer: 1 << 28 });
  if (process.env.FAULTS_VERBOSE) process.stdout.write(stdout + stderr);
  // pytest tells by its exit code that tests failed, and not that none was found or that it could not begin.
  return isPython ? status === 1 : /Tests .*\d+ failed|it hangs \(last: /.test(stdout + stderr);
}

const copy = copyCheckout();
let missed = 0;
try {
  for (const mutation of mutations) {
    const path = join(copy, mutation.file);
    const before = readFileSync(path, "utf8");
    writeFileSync(
      path,
      before.replace(mutation.from, () => mutation.to),
    );
    const red = goesRed(copy, mutation);
    writeFileSync(path, before);
    // Without its guard a process may well outlive its test.
    for (const { pid } of processesOf(copy)) send(pid, "SIGKILL");
    if (!red) missed += 1;
    process.stdout.write(`${red ? "red " : "NOT RED"}  ${mutation.file}: ${mutation.guard}\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(`${mutations.length - missed} of ${mutations.length} tests went red without their guard\n`);
process.exitCode = missed === 0 && mutations.length > 0 ? 0 : 1;
