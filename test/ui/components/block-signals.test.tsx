import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import type { BlockSignals } from "../../../src/reading/block-signals.js";
import { BlockSignalPanel } from "../../../src/ui/components/block-signals.js";

const of = (value: number, standardError: number | null = null) => ({ value, standardError });
const SIGNALS: BlockSignals = {
  update: 120,
  metrics: ["fisher_trace", "sharpness_worst"],
  rows: [
    { block: null, values: [of(0.25, 0.01), of(1.5)] },
    { block: "head", values: [of(0.125, 0.002), null] },
    { block: "layer4", values: [{ value: { non_finite: "nan" }, standardError: null }, of(1.25, 0.5)] },
  ],
};

function frameOf(columns: number, rows: number): string {
  const frame = renderToString(<BlockSignalPanel signals={SIGNALS} rows={rows} columns={columns} />, { columns });
  return `\n${stripVTControlCharacters(frame)}\n`;
}

it("is a table of blocks and metrics", () => {
  expect(frameOf(80, 6)).toMatchInlineSnapshot(`
    "
    ── by block, update 120 ────────────────────────────────────────────────────────
                                      tr(F)  worst-case sharpness
     all that trains            0.25 ± 0.01                   1.5
     head                     0.125 ± 0.002
     layer4                             nan            1.25 ± 0.5

    "
  `);
});

it("counts what does not fit", () => {
  expect(frameOf(60, 4)).toMatchInlineSnapshot(`
    "
    ── by block, update 120 ── not shown: metrics 1, blocks 1 ──
                                      tr(F)
     all that trains            0.25 ± 0.01
     head                     0.125 ± 0.002
    "
  `);
});
