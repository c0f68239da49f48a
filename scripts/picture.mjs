// Draws the live view of a run, as it was after a record of its journal, into an SVG file:
//   node scripts/picture.mjs RUN_DIR [--record N] [--size 120x40] [--out docs/images/live-view.svg]
// Needs a build (`npm run build`).
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

// Ink asks whether this process has a terminal; a picture has colours in any case.
process.env.FORCE_COLOR = "1";
const { captureFrame } = await import("../dist/ui/capture.js");
const { frameToSvg } = await import("../dist/ui/svg.js");
const { readJournal } = await import("../dist/journal/reader.js");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    record: { type: "string" },
    size: { type: "string", default: "120x40" },
    out: { type: "string", default: "docs/images/live-view.svg" },
  },
});
const [runFolder] = positionals;
if (runFolder === undefined)
  throw new Error("usage: node scripts/picture.mjs RUN_DIR [--record N] [--size 120x40] [--out FILE]");
const [columns, rows] = values.size.split("x").map(Number);
const { records } = await readJournal(runFolder);
const shown = records.slice(0, values.record === undefined ? undefined : Number(values.record));
const frame = captureFrame(shown, { columns, rows, color: true, unicode: true, runFolder });
mkdirSync(dirname(values.out), { recursive: true });
writeFileSync(values.out, frameToSvg(frame, { columns, rows: rows - 1 }));
