import fc from "fast-check";
import { renderToString } from "ink";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { keyName, SWEEP_KEYMAP } from "../../../src/ui/model/sweep-keymap.js";
import { INITIAL_SWEEP_VIEW, type SweepView } from "../../../src/ui/model/sweep-view-state.js";
import { createTheme } from "../../../src/ui/theme.js";
import { SweepFrame } from "../../../src/ui/views/sweep-frame.js";
import type { WatchedSweep } from "../../../src/sweep/watched-sweep.js";
import { HOSTILE, obeyedIn } from "../../support/hostile-text.js";
import { watchedRun, watchedSweep } from "../../support/watched-sweeps.js";

interface Terminal {
  readonly columns: number;
  readonly rows: number;
  readonly color?: boolean;
  readonly unicode?: boolean;
  readonly view?: Partial<SweepView>;
}

function frameOf(sweep: WatchedSweep, { columns, rows, color = false, unicode = true, view = {} }: Terminal): string {
  const snapshot = { sweep, view: { ...INITIAL_SWEEP_VIEW, ...view }, opened: null, places: 2, now: 600_000 };
  const theme = createTheme({ color, unicode });
  return renderToString(<SweepFrame snapshot={snapshot} theme={theme} columns={columns} rows={rows} />, { columns });
}

const SIZES = [
  [80, 24],
  [160, 50],
] as const;

describe("the frame of a sweep", () => {
  const faces: Readonly<Record<string, Partial<SweepView>>> = {
    matrix: { cursor: "online-1-seed1-0123456789", selected: ["standard-seed0-0123456789"] },
    list: { face: "list", sort: "score", filter: "online" },
    help: { help: true },
  };
  for (const [name, view] of Object.entries(faces)) {
    it.each(SIZES)(`${name} at %i x %i`, async (columns, rows) => {
      const frame = frameOf(watchedSweep(5, 4), { columns, rows, view });
      await expect(`${frame}\n`).toMatchFileSnapshot(`frames/sweep-${name}-${columns}x${rows}.txt`);
    });
  }

  it("is never taller than rows - 1 nor wider than columns, and keeps the cursor in sight", () => {
    const terminals = fc.record({
      columns: fc.integer({ min: 60, max: 200 }),
      rows: fc.integer({ min: 16, max: 60 }),
      unicode: fc.boolean(),
      view: fc.record({ help: fc.boolean(), face: fc.constantFrom("matrix" as const, "list" as const) }),
    });
    const size = fc.record({ conditions: fc.integer({ min: 1, max: 60 }), seeds: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(size, terminals, fc.nat(), (drawn, terminal, place) => {
        const sweep = watchedSweep(drawn.conditions, drawn.seeds);
        const cursor = sweep.runs[place % sweep.runs.length]!.id;
        const frame = frameOf(sweep, { ...terminal, view: { ...terminal.view, cursor } });
        const lines = frame.split("\n");
        expect(lines.length).toBeLessThanOrEqual(terminal.rows - 1);
        for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(terminal.columns);
        if (!terminal.view.help) expect(frame).toContain("[");
        if (!terminal.unicode) expect(frame).toMatch(/^[ -~\n]*$/);
      }),
      { numRuns: 40 },
    );
  });

  it("says the same without colour: each standing has a symbol of its own", () => {
    const [plain, colored] = [false, true].map((color) =>
      frameOf(watchedSweep(6, 3), { columns: 100, rows: 30, color }),
    );
    expect(plain).not.toContain("\u001b");
    expect(colored).toContain("\u001b");
    expect(stripVTControlCharacters(colored!).replaceAll(/ +$/gm, "")).toBe(plain!.replaceAll(/ +$/gm, ""));
    for (const unicode of [true, false]) {
      const symbols = Object.values(createTheme({ color: false, unicode }).glyphs.standing);
      expect(new Set(symbols).size).toBe(6);
    }
  });

  it("says what the scheduler says of its jobs", () => {
    const jobs = {
      "12_0": { state: "RUNNING", reason: null },
      "12_1": { state: "PENDING", reason: "Resources" },
    };
    const frame = frameOf(watchedSweep(2, 2, { jobs }), { columns: 120, rows: 30 });
    expect(frame).toContain("; job 12: 1 running, 1 pending (Resources)");
    expect(frame.split("\n").length).toBeLessThan(30);
  });

  it("tells failures with their sentence, and how many have no room", () => {
    const failing = Array.from({ length: 9 }, (_, seed) => watchedRun("online", seed, "failed"));
    const frame = frameOf(watchedSweep(1, 9, { runs: failing }), { columns: 80, rows: 24 });
    expect(frame).toContain("online seed 0: the loss is not finite at update 12");
    expect(frame).toContain("and 7 more");
  });

  it.each([16, 24, 50])("lists every key in its help, in %i rows as well where they fit", (rows) => {
    const help = frameOf(watchedSweep(2, 2), { columns: 120, rows, view: { help: true } });
    const shown = SWEEP_KEYMAP.filter(({ keys }) => help.includes(` ${keys.map(keyName).join(", ")}`));
    expect(shown.length).toBe(Math.min(SWEEP_KEYMAP.length, rows - 5));
  });

  it("obeys nothing that a name or a failure holds", () => {
    const run = watchedRun("online", 0, "failed", { failure: HOSTILE, axes: { "data.path": HOSTILE } });
    const sweep = watchedSweep(1, 1, { name: HOSTILE, folder: `/${HOSTILE}`, runs: [run] });
    for (const face of ["matrix", "list"] as const) {
      expect(obeyedIn(frameOf(sweep, { columns: 160, rows: 40, view: { face, cursor: run.id } }))).toEqual([]);
    }
  });
});
