import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import type { Moved, State } from "../../../src/core/state.js";
import { BlockLine, BlockPanel } from "../../../src/ui/components/blocks.js";
import { simulateRun } from "../../support/journal-builder.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

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

it("says so in one row too, in the place of the update of a release", () => {
  const { state } = simulateRun({ until: ({ progress }) => progress.frontier >= 300 });
  const moved = { update: 300, distances: DISTANCES };
  const shown: State = { ...state, progress: { ...state.progress, moved } };
  const line = (one: State): string =>
    stripVTControlCharacters(renderToString(<BlockLine state={one} columns={80} />, { columns: 80 })).trimEnd();
  expect(line(shown)).toMatchInlineSnapshot(`"blocks    ■ 12 % ■ 0.3 % ■ 0.004 % ■ 0 % □□  layer1 before update 480"`);
  expect(line({ ...state, progress: { ...state.progress, moved: null } })).toMatchInlineSnapshot(
    `"blocks    ■ head ■ layer4 120 ■ layer3 240 ■ layer2 360 □ layer1 480 □ stem 600"`,
  );
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

it("counts the updates of a warm-up, and says of one that the end cut short how far it came", () => {
  const overrides = ["intervention.k=20", "intervention.release_warmup=12"];
  const run = new SimulatedRun(simulatedConfig(...overrides)).until(({ progress }) => progress.frontier >= 26);
  const line = stripVTControlCharacters(renderToString(<BlockLine state={run.state} columns={90} />, { columns: 90 }));
  expect(`\n${panelOf(run.state)}\n${line}\n`).toMatchInlineSnapshot(`
    "
    ── blocks ──────────────────────────────────────────── 2 of 4 train ──
     ■ head             5  from the start
     ■ block3          10  since update 20, warming up 8/12
     □ block2          10  before update 40, next
     □ block1          10  before update 60
    blocks    ■ head   ■ block3 20 (8/12)   □ block2 40   □ block1 60
    "
  `);
  const ended = new SimulatedRun(simulatedConfig(...overrides)).finish();
  expect(`\n${panelOf(ended.state)}\n`).toMatchInlineSnapshot(`
    "
    ── blocks ──────────────────────────────────────────── 4 of 4 train ──
     ■ head             5  from the start
     ■ block3          10  since update 20
     ■ block2          10  since update 40
     ■ block1          10  since update 60, warmed up only 1/12
    "
  `);
});

function panelOf(state: State): string {
  return stripVTControlCharacters(renderToString(<BlockPanel state={state} rows={5} columns={70} />, { columns: 70 }));
}
