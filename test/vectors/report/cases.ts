/**
 * Tables of real runs as files, for the Python side to compute again from the raw results, and for LaTeX to compile.
 * test/report/render/files.test.ts compares the committed files with these; after a change write them with
 *
 *     npx vitest run test/report/render/files.test.ts --update
 */
import { renderTable, TABLE_ENDINGS, TABLE_FORMATS } from "../../../src/report/render/render-table.js";
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
  const sweeps = [
    recordedSweep("mnist-width8"),
    recordedSweep("xquad-small"),
    recordedSweep("cifar10-width16", { scale: "small" }),
    tried,
  ];
  const files = sweeps.flatMap((sweep) =>
    tablesOf(sweep, sweep === tried ? { configOf: recordedConfig } : {}).flatMap((table) => [
      ...TABLE_FORMATS.filter((format) => format !== "json").map((format): [string, string] => [
        `${sweep.name}-${table.name}.${TABLE_ENDINGS[format]}`,
        renderTable(table, format, { version: VERSION }),
      ]),
      [
        `${sweep.name}-${table.name}-siunitx.tex`,
        renderTable(table, "latex", { version: VERSION, siunitx: true, digits: 1 }),
      ] as [string, string],
    ]),
  );
  return { ...Object.fromEntries(files), "tried-k.json": raw(tried) };
}
