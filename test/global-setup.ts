import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { realPython, startNursery } from "./support/nursery/nursery.js";
import { BUILD_INPUTS, BUILD_STAMP, digestOf, isCurrent } from "../scripts/stamps.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** A folder for what is dear to make and the same for several files; it goes when the tests are over. */
    readonly sharedFolder: string;
    /** A real interpreter, for what begins with a process of its own; elsewhere `findPython` finds the nursery's. */
    readonly realPython: string;
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  buildStaleSources();
  const folder = mkdtempSync(join(tmpdir(), "thawline-shared-"));
  const python = realPython();
  project.provide("sharedFolder", folder);
  project.provide("realPython", python);
  const nursery = await startNursery(python, folder);
  // Test files run in processes that begin after this.
  const settings = { XDG_CONFIG_HOME: join(folder, "settings") };
  Object.assign(process.env, nursery.environment, { THAWLINE_PYTHON: nursery.python, ...settings });
  return async () => {
    await nursery.end();
    rmSync(folder, { recursive: true, force: true });
  };
}

/**
 * Tests start `dist/cli.js` as a user does, so dist must be that of the sources. `npm test` has built it by now; this
 * serves a bare `npx vitest`, without type checks because those are `npm run typecheck`'s.
 */
function buildStaleSources(): void {
  const root = resolve(import.meta.dirname, "..");
  const digest = digestOf(root, BUILD_INPUTS);
  if (isCurrent(join(root, BUILD_STAMP), digest)) return;
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--noCheck"], { cwd: root, stdio: "inherit" });
}
