// Draws the live view of a run, as it was after a record of its journal, into an SVG file:
//   node scripts/pictures/picture.mjs RUN_DIR [--record N] [--size 120x40] [--out docs/images/live-view.svg]
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createServer } from "vite";

// Ink asks whether this process has a terminal; a picture has colours in any case.
process.env.FORCE_COLOR = "1";
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
  throw new Error("usage: node scripts/pictures/picture.mjs RUN_DIR [--record N] [--size 120x40] [--out FILE]");

// The sources as they are: a developer's tool is in no build.
const root = fileURLToPath(new URL("../..", import.meta.url));
const server = await createServer({ root, configFile: false, server: { middlewareMode: true }, appType: "custom" });
try {
  const { captureFrame } = await server.ssrLoadModule("/scripts/pictures/capture.tsx");
  const { frameToSvg } = await server.ssrLoadModule("/scripts/pictures/svg.ts");
  const { readJournal } = await server.ssrLoadModule("/src/journal/reader.ts");
  const [columns, rows] = values.size.split("x").map(Number);
  const { records } = await readJournal(runFolder);
  const shown = records.slice(0, values.record === undefined ? undefined : Number(values.record));
  const frame = captureFrame(shown, { columns, rows, color: true, unicode: true, runFolder });
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, frameToSvg(frame, { columns, rows: rows - 1 }));
} finally {
  await server.close();
}
