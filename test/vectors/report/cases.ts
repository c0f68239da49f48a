/**
 * Tables of real runs as files, for the Python side to compute again from the raw results, and for LaTeX to compile.
 * test/report/render/files.test.ts compares the committed files with these; after a change write them with
 *
 *     npx vitest run test/report/render/files.test.ts --update
 */
import { renderTable } from "../../../src/report/render/render-table.js";
import type { Table } from "../../../src/report/tables/table.js";
import { tablesOf } from "../../../src/report/tables/tables-of.js";
import { namedScores } from "../../../src/reading/named-scores.js";
import type { Sweep } from "../../../src/sweep/swept-run.js";
import { recordedConfig, recordedSweep } from "../../support/recorded-sweep.js";
import { triedKSweep } from "../../support/tried-k-sweep.js";

const VERSION = "0.1.0";

/** What there is of an invented run, as a file of results has it. */
function raw({ runs }: Sweep): string {
  const rows = runs.map(({ condition, seed, axes, results }) => ({
    condition,
    seed,
    axes,
    k_source: results?.k?.source ?? null,
    scores: results === null ? null : namedScores(results),
  }));
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}

/** Content by file name. */
export function reportFiles(): Record<string, string> {
  const tried = triedKSweep();
  const files = [
    ...filesOf(tablesOf(recordedSweep("mnist-width8")), ["scores", "k", "every-score"]),
    ...filesOf(tablesOf(recordedSweep("xquad-small")), ["scores"]),
    ...filesOf(tablesOf(recordedSweep("cifar10-width16", { scale: "small" })), ["scores"]),
    ...filesOf(tablesOf(tried, { configOf: recordedConfig }), ["scores", "winning-rate", "paper-table-2"]),
  ];
  return { ...Object.fromEntries(files), "tried-k.json": raw(tried) };
}

function filesOf(tables: readonly Table[], names: readonly string[]): [name: string, content: string][] {
  return tables
    .filter(({ name }) => names.includes(name))
    .flatMap((table): [string, string][] => {
      const name = `${table.sources.join("-")}-${table.name}`;
      const written = { version: VERSION };
      return [
        [`${name}.md`, renderTable(table, "markdown", written)],
        [`${name}.csv`, renderTable(table, "csv", written)],
        [`${name}.tex`, renderTable(table, "latex", written)],
        [`${name}-siunitx.tex`, renderTable(table, "latex", { ...written, siunitx: true, digits: 1 })],
      ];
    });
}
