// Keeps in docs/results/NAME what `thawline report` makes of a sweep or of runs: every table as Markdown and CSV, and the
// figures that a page shows, so that docs/results.md can be made again without the runs.
//
//   npm run build && node scripts/results/publish.mjs NAME FOLDER... [-- OPTIONS OF REPORT]
//
// Then `node scripts/results/tables.mjs` writes the tables into the page.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../python.mjs";

const PAGES = ["README.md", join("docs", "results.md")];

const end = process.argv.indexOf("--");
const [name, ...folders] = process.argv.slice(2, end === -1 ? undefined : end);
const options = end === -1 ? [] : process.argv.slice(end + 1);
if (name === undefined || folders.length === 0 || !/^[a-z0-9-]+$/.test(name)) {
  process.stderr.write("error: name the result, in small letters, and the folders of its runs\n");
  process.exit(2);
}

const kept = join(ROOT, "docs", "results", name);
const made = mkdtempSync(join(tmpdir(), "thawline-publish-"));
try {
  const command = [join(ROOT, "dist", "cli.js"), "report", ...folders, "--out", made, ...options];
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  const shown = figuresOf(name);
  for (const folder of ["tables", "figures"]) {
    for (const file of readdirSync(join(made, folder)).filter((file) => isKept(folder, file, shown))) {
      cpSync(join(made, folder, file), join(kept, file));
    }
  }
} finally {
  rmSync(made, { recursive: true });
}

/** Figures of this result that a page of the project shows. */
function figuresOf(name) {
  const pattern = new RegExp(`results/${name}/([\\w.-]+\\.svg)`, "g");
  return new Set(
    PAGES.flatMap((page) => [...readFileSync(join(ROOT, page), "utf8").matchAll(pattern)].map(([, file]) => file)),
  );
}

function isKept(folder, file, shown) {
  return folder === "tables" ? /\.(md|csv)$/.test(file) : shown.has(file);
}
