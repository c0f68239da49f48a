import fc from "fast-check";
import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { createTheme } from "../../../src/ui/theme.js";
import { INITIAL_VIEW, type ViewState } from "../../../src/ui/model/view-state.js";
import { Frame } from "../../../src/ui/views/frame.js";
import { simulateRun, type RecordedRun } from "../../support/journal-builder.js";
import { HOSTILE, obeyedIn, withHostileTexts } from "../../support/hostile-text.js";
import { MOMENTS, observed } from "../../support/moments.js";

const ESCAPE = "\u001b";

interface Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly color?: boolean;
  readonly unicode?: boolean;
  readonly view?: Partial<ViewState>;
  readonly others?: readonly RecordedRun[];
}

function frameOf(recorded: RecordedRun, terminal: Terminal): string {
  const { columns, rows, color = false, unicode = true, view = {}, others = [] } = terminal;
  const runs = [recorded, ...others].map((run) => observed(run));
  const snapshot = { runs, view: { ...INITIAL_VIEW, ...view }, now: Date.parse(runs[0]!.lastAt ?? "") || 0 };
  const theme = createTheme({ color, unicode });
  return renderToString(<Frame snapshot={snapshot} theme={theme} columns={columns} rows={rows} />, { columns });
}

describe("frame", () => {
  const sizes = [
    [80, 24],
    [120, 40],
  ] as const;
  for (const [name, record] of Object.entries(MOMENTS)) {
    it.each(sizes)(`${name} at %i x %i`, async (columns, rows) => {
      const frame = frameOf(record(), { columns, rows });
      await expect(`${frame}\n`).toMatchFileSnapshot(`frames/${name}-${columns}x${rows}.txt`);
    });
  }

  it("answers at a glance why the controller waits", () => {
    const frame = frameOf(MOMENTS["waiting"]!(), { columns: 80, rows: 24 });
    expect(frame).toContain("WAITING FOR k  tr(F) changes by 0.036 of its range per point, calm is 0.02");
    expect(frame).toContain("k_max 200");
  });

  it("is never taller than rows - 1 nor wider than columns, whatever it shows", () => {
    const runs = Object.values(MOMENTS).map((record) => record());
    const terminals = fc.record({
      columns: fc.integer({ min: 60, max: 200 }),
      rows: fc.integer({ min: 16, max: 60 }),
      unicode: fc.boolean(),
      others: fc.constantFrom([], [runs[0]!]),
      view: fc.record({ help: fc.boolean(), panel: fc.nat(2), logarithmic: fc.boolean(), average: fc.boolean() }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...runs), terminals, (run, terminal) => {
        const lines = frameOf(run, terminal).split("\n");
        expect(lines.length).toBeLessThanOrEqual(terminal.rows - 1);
        for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(terminal.columns);
      }),
      { numRuns: 40 },
    );
  });

  it("says so where the terminal is too small", () => {
    const frame = frameOf(MOMENTS["waiting"]!(), { columns: 50, rows: 10 });
    expect(frame.trimEnd()).toBe("the view needs 60 x 16; q leaves, the run goes on");
  });

  it("holds no escape codes without colour, and the same text with it", () => {
    for (const record of Object.values(MOMENTS)) {
      const run = record();
      const [plain, colored] = [false, true].map((color) => frameOf(run, { columns: 100, rows: 30, color }));
      expect(plain).not.toContain(ESCAPE);
      expect(colored).toContain(ESCAPE);
      expect(stripVTControlCharacters(colored!).replaceAll(/ +$/gm, "")).toBe(plain!.replaceAll(/ +$/gm, ""));
    }
  });

  it("uses printable ASCII only where the terminal has nothing else", () => {
    for (const record of Object.values(MOMENTS)) {
      const run = record();
      for (const [columns, rows] of sizes) {
        expect(frameOf(run, { columns, rows, unicode: false })).toMatch(/^[ -~\n]*$/);
      }
    }
  });

  it("draws a run whose signal is not a number, and marks the gap", () => {
    const signal = (point: number): number | { non_finite: "nan" } => (point === 4 ? { non_finite: "nan" } : -point);
    const run = simulateRun({
      signal,
      loss: () => ({ non_finite: "inf" }),
      until: (state) => state.progress.frontier >= 60,
    });
    const frame = frameOf(run, { columns: 120, rows: 40, view: { logarithmic: true } });
    expect(frame).toContain("×");
    expect(frame).toContain("symlog");
    expect(frame).toContain("tr(F) is nan: the point is left out");
  });

  it("shows the control characters that a worker wrote, and obeys none", () => {
    const text = "loading\n\u001b[31mdata\u0007";
    const outside = [
      { at: 0, event: { type: "worker/logged", attempt: 1, body: { level: "warning", text } } as const },
    ];
    const frame = frameOf(simulateRun({ outside, until: (s) => s.progress.frontier >= 20 }), {
      columns: 120,
      rows: 40,
    });
    expect(frame).toContain("warning    loading \\u001b[31mdata\\u0007");
    expect(frame).not.toContain("\u001b");
  });

  it.each(Object.keys(MOMENTS))("obeys nothing in a hostile journal: %s", (name) => {
    const run = MOMENTS[name]!();
    const hostile = { ...run, records: withHostileTexts(run.records) };
    const views: Partial<ViewState>[] = [{}, { panel: 1 }, { panel: 2 }, { help: true }, { notice: HOSTILE }];
    for (const [columns, rows] of [
      [200, 60],
      [80, 24],
    ] as const)
      for (const view of views) {
        const frame = frameOf(hostile, { columns, rows, view, others: [hostile] });
        expect(obeyedIn(frame)).toEqual([]);
        expect(frame).toContain("\\u001b]0;t");
      }
  });
});
