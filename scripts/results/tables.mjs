// Fills the tables of docs/results.md and docs/performance.md: what stands between `<!-- table: NAME -->` and
// `<!-- end of table -->` is written by this. NAME/TABLE is what `thawline report` made, kept by publish.mjs in
// docs/results/NAME/TABLE.md; another name is a table over the summaries in docs/results/summaries/, of runs made before
// there were sweeps, or over docs/benchmarks/.
//
//   node scripts/results/tables.mjs [--check]
//
// With --check nothing is written; exits 1 when the tables are not those of the files.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { format, resolveConfig } from "prettier";
import { ROOT } from "../python.mjs";
import { BENCHMARK_TABLES } from "./benchmark-tables.mjs";
import { SIGNAL_TABLES } from "./signals-tables.mjs";
import { TEXT_TABLES } from "./text-tables.mjs";
import { VISION_TABLES } from "./vision-tables.mjs";

const FOLDER = join(ROOT, "docs", "results");
const SUMMARIES = join(FOLDER, "summaries");
const PAGES = ["results.md", "performance.md"].map((name) => join(ROOT, "docs", name));
const TABLES = { ...VISION_TABLES, ...TEXT_TABLES, ...SIGNAL_TABLES, ...BENCHMARK_TABLES };

const summaries = readdirSync(SUMMARIES)
  .sort()
  .map((file) => JSON.parse(readFileSync(join(SUMMARIES, file), "utf8")));

for (const page of PAGES) await fill(page);

async function fill(path) {
  const page = readFileSync(path, "utf8");
  const filled = page.replace(
    /(<!-- table: ([a-z0-9/-]+) -->\n)[^]*?(<!-- end of table -->)/g,
    (_, begin, name, end) => `${begin}\n${tableOf(name, path)}\n${end}`,
  );
  const written = await format(filled, { ...(await resolveConfig(path)), filepath: path });
  if (!process.argv.includes("--check")) writeFileSync(path, written);
  else if (written !== page) {
    process.stderr.write(`error: ${relative(ROOT, path)} is stale\n\nhint: run \`node scripts/results/tables.mjs\`\n`);
    process.exitCode = 1;
  }
}

function tableOf(name, path) {
  const reported = join(FOLDER, `${name}.md`);
  if (name.includes("/") && existsSync(reported)) return readFileSync(reported, "utf8");
  if (TABLES[name] === undefined) throw new Error(`${path} asks for an unknown table, ${name}`);
  return markdown(TABLES[name](summaries));
}

function markdown({ head, rows }) {
  if (rows.length === 0) return "Not run yet.\n";
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  return `${line(head)}${line(head.map(() => "---"))}${rows.map(line).join("")}`;
}
