// Keeps in docs/results/NAME what the project's pages show of a report on a sweep or on runs: tables as Markdown and CSV,
// figures as SVG and CSV, so that docs/results.md can be made again without the runs.
//
//   npm run build && node scripts/results/publish.mjs NAME FOLDER... [-- OPTIONS OF REPORT]
//
// Then `node scripts/results/tables.mjs` writes the tables into the page.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, parse } from "node:path";
import { ROOT } from "../python.mjs";

const PAGES = ["README.md", join("docs", "results.md")];
const ENDINGS = new Set([".md", ".csv", ".svg"]);

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
  const shown = new Set([...shownBy(/<!-- table: NAME\/([\w-]+) -->/), ...shownBy(/results\/NAME\/([\w-]+)\.svg/)]);
  for (const folder of ["tables", "figures"]) {
    for (const file of readdirSync(join(made, folder))) {
      const { name: stem, ext } = parse(file);
      if (shown.has(stem) && ENDINGS.has(ext)) writeFileSync(join(kept, file), readFileSync(join(made, folder, file)));
    }
  }
} finally {
  rmSync(made, { recursive: true });
}

/** What of this result the pages name, by a pattern with NAME in the place of its name. */
function shownBy({ source }) {
  const pattern = new RegExp(source.replace("NAME", name), "g");
  return PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(pattern)].map((match) => match[1]),
  );
}
