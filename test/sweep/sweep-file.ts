import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contents } from "../../src/sweep/content.js";
import { readSweep, type SweepRequest } from "../../src/sweep/file.js";
import { planOf, type Plan } from "../../src/sweep/plan.js";

/** A folder with a sweep's file in it, and what is read of it. */
export function sweepFile(text: string, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "thawline-sweep-"));
  for (const [name, content] of Object.entries({ "sweep.yaml": text, ...files }))
    writeFileSync(join(folder, name), content);
  return folder;
}

export async function planned(text: string, request: Omit<Partial<SweepRequest>, "path" | "cwd"> = {}): Promise<Plan> {
  return planOf(readSweep({ path: "sweep.yaml", cwd: sweepFile(text), ...request }), CONTENTS);
}

/** The bundled images are read once. */
const CONTENTS = new Contents();

/** Small, of every kind of condition. */
export const SWEEP = `
base: quickstart
set: { train.updates: 60, probe.points: 64 }
conditions:
  standard: { set: { intervention.kind: none } }
  online: {}
  fixed: { axes: { intervention.k: [4, 10] } }
seeds: 2
scales:
  small: { set: { train.updates: 40 }, seeds: [7] }
`;
