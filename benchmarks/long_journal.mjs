// The journal of a long run that never ran, for benchmarks/long_runs.py:
//   node benchmarks/long_journal.mjs FOLDER POINTS decided|open|rising [--results]   writes it, and results.json
//   node benchmarks/long_journal.mjs --boundary POINTS decided|open|rising           seconds that a boundary takes at its end
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const [folder, points, kind, results] = process.argv.slice(2);
const root = fileURLToPath(new URL("..", import.meta.url));
const server = await createServer({ root, configFile: false, server: { middlewareMode: true }, appType: "custom" });
try {
  const { boundarySeconds, writeLongJournal } = await server.ssrLoadModule("/test/support/long-journal.ts");
  const said =
    folder === "--boundary"
      ? boundarySeconds(Number(points), kind)
      : writeLongJournal(folder, Number(points), kind, results === "--results");
  process.stdout.write(`${said}\n`);
} finally {
  await server.close();
}
