import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, aroundAll, aroundEach } from "vitest";
import { filesUnder } from "./files-under.js";

/**
 * A hang is told by missing progress, not by the clock, which a busy machine outruns: a test, or what a file does
 * before its tests, fails when nothing at all has been written for so long. Vitest's own limit stands far beyond it.
 */
const LIMIT_SECONDS = 300;
const LOOK_SECONDS = 5;

// Journals, logs and checkpoints of whatever the tests start are in here, and nothing of other test files.
const before = tmpdir();
const folder = mkdtempSync(join(before, "thawline-tests-"));
process.env["TMPDIR"] = folder;

afterAll(() => {
  // The next file is tested in the same process.
  process.env["TMPDIR"] = before;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
aroundAll((runTests) => whileProgressing(runTests));
aroundEach((runTest) => whileProgressing(runTest));

/** Fails once many looks in a row found the folder as it was: looks, so that a pause of this process is no hang. */
async function whileProgressing(run: () => Promise<void>): Promise<void> {
  let seen = newestWrite();
  let unchanged = 0;
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const now = newestWrite();
      unchanged = now === seen ? unchanged + 1 : 0;
      seen = now;
      if (unchanged * LOOK_SECONDS < LIMIT_SECONDS) return;
      reject(new Error(`nothing was written for ${LIMIT_SECONDS} s: it hangs (last: ${seen})`));
    }, LOOK_SECONDS * 1000);
  });
  try {
    await Promise.race([run(), stalled]);
  } finally {
    clearInterval(timer);
  }
}

/** The file or folder that was written last, and when. */
function newestWrite(): string {
  let newest = { path: "", milliseconds: 0 };
  for (const path of filesUnder(folder)) {
    const milliseconds = statSync(join(folder, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (milliseconds > newest.milliseconds) newest = { path, milliseconds };
  }
  return `${newest.path} at ${newest.milliseconds}`;
}
