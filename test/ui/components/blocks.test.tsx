import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import type { Moved, State } from "../../../src/core/state.js";
import { BlockPanel } from "../../../src/ui/components/blocks.js";
import { simulateRun } from "../../support/journal-builder.js";

function frameOf(distances: Moved["distances"] | null, columns: number): string {
  const { state } = simulateRun({ until: ({ progress }) => progress.frontier >= 300 });
  const moved = distances === null ? null : { update: 300, distances };
  const shown: State = { ...state, progress: { ...state.progress, moved } };
  const frame = renderToString(<BlockPanel state={shown} rows={7} columns={columns} />, { columns });
  return `\n${stripVTControlCharacters(frame)}\n`;
}

const DISTANCES = [0.123, 0.003, 0.00004, 0, null, 0];

it("shows how far each block that trains has moved, and no word where none can", () => {
  expect(frameOf(DISTANCES, 80)).toMatchInlineSnapshot(`
    "
    ── blocks ────────────────────────────────────────────────────── 4 of 6 train ──
     ■ head           650  from the start, moved 12 %
     ■ layer4     131 328  since update 120, moved 0.3 %
     ■ layer3      32 960  since update 240, moved 0.004 %
     ■ layer2        8288  since update 360, moved 0 %
     □ layer1        2368  before update 480, next
     □ stem            88  before update 600
    "
  `);
  expect(frameOf([{ non_finite: "nan" }, 0, 0.002, 0.25, null, 0], 80)).toMatchInlineSnapshot(`
    "
    ── blocks ────────────────────────────────────────────────────── 4 of 6 train ──
     ■ head           650  from the start, moved nan
     ■ layer4     131 328  since update 120, moved 0 %
     ■ layer3      32 960  since update 240, moved 0.2 %
     ■ layer2        8288  since update 360, moved 25 %
     □ layer1        2368  before update 480, next
     □ stem            88  before update 600
    "
  `);
});

it("leaves sizes out where there is no room for both", () => {
  expect(frameOf(DISTANCES, 46)).toMatchInlineSnapshot(`
    "
    ── blocks ──────────────────── 4 of 6 train ──
     ■ head    from the start, moved 12 %
     ■ layer4  since update 120, moved 0.3 %
     ■ layer3  since update 240, moved 0.004 %
     ■ layer2  since update 360, moved 0 %
     □ layer1  before update 480, next
     □ stem    before update 600
    "
  `);
  expect(frameOf(null, 46)).toContain("131 328");
});
