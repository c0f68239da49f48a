// Writes those parts of docs/configuration.md that come from the code: the keys, the metrics, what is refused.
//
//   node scripts/configuration-doc.mjs [--check]
//
// Needs dist/ (`npm run build`). With --check nothing is written; exits 1 when a part is not what it would write.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keys } from "./configuration/keys.mjs";
import { metrics } from "./configuration/metrics.mjs";
import { keysWithoutEffect, refusedCombinations } from "./configuration/refusals.mjs";
import { ROOT } from "./python.mjs";

const DOCUMENT = join(ROOT, "docs", "configuration.md");
/** Each stands between two marks of its name. */
const PARTS = { keys, metrics, "keys without effect": keysWithoutEffect, "refused combinations": refusedCombinations };

function withPart(document, name, text) {
  const [begin, end] = [`<!-- ${name}: written by scripts/configuration-doc.mjs -->`, `<!-- end of ${name} -->`];
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${DOCUMENT} lacks the marks of ${name}`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}

const document = readFileSync(DOCUMENT, "utf8");
const written = Object.entries(PARTS).reduce((text, [name, part]) => withPart(text, name, part()), document);
if (!process.argv.includes("--check")) writeFileSync(DOCUMENT, written);
else if (written !== document) {
  process.stderr.write("error: docs/configuration.md is stale\n\nhint: run `node scripts/configuration-doc.mjs`\n");
  process.exitCode = 1;
}
