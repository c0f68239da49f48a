import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { DetectorLines, DetectorPanel } from "../../../src/ui/components/detector.js";
import { plateau, QUIET, recordedRun } from "../../support/recorded-run.js";

it("shows the conditions of the plateau, ticked or not", () => {
  const { state } = recordedRun(plateau, ...QUIET).until(({ signal }) => signal.judgement?.points === 5);
  const panel = renderToString(<DetectorPanel state={state} rows={6} columns={66} />, { columns: 66 });
  expect(`\n${stripVTControlCharacters(panel)}\n`).toMatchInlineSnapshot(`
    "
    ── detector of loss ─────────────────────── tau 2, epsilon 0.02 ──
    settling after 5 points
     ✓ points     5 of 4
     ✓ improved   0.86 of its range, needs over 0.02
     · plateau    latest 2: better by 0.14, needs 0.02 or within error
    k_max 40
    "
  `);
  const lines = renderToString(<DetectorLines state={state} />, { columns: 90 });
  expect(`\n${stripVTControlCharacters(lines)}\n`).toMatchInlineSnapshot(`
    "
    detector  settling after 5 points; k_max 40
              ✓ points   ✓ improved   · plateau 0.14
    "
  `);
});
