import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { BUILD_INPUTS, BUILD_STAMP, digestOf, isCurrent } from "../scripts/stamps.mjs";

/**
 * Tests start `dist/cli.js` as a user does, so dist must be that of the sources. `npm test` has built it by now; this
 * serves a bare `npx vitest`, without type checks because those are `npm run typecheck`'s.
 */
export default function buildStaleSources(): void {
  const root = resolve(import.meta.dirname, "..");
  const digest = digestOf(root, BUILD_INPUTS);
  if (isCurrent(join(root, BUILD_STAMP), digest)) return;
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--noCheck"], { cwd: root, stdio: "inherit" });
}
