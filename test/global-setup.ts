import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";
import { BUILD_INPUTS, BUILD_STAMP, digestOf, isCurrent } from "../scripts/stamps.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** A folder for what is dear to make and the same for several files; it goes when the tests are over. */
    readonly sharedFolder: string;
  }
}

export default function setUp(project: TestProject): () => void {
  buildStaleSources();
  const folder = mkdtempSync(join(tmpdir(), "thawline-shared-"));
  project.provide("sharedFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
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
