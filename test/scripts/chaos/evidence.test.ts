import { cpSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { evidenceOf, firstDifference } from "../../../scripts/chaos/evidence.mjs";
import { filesOf, leftoversOf } from "../../../scripts/chaos/leftovers.mjs";
import { encodeRecord, type JournalRecord } from "../../../src/journal/format.js";
import { readJournal } from "../../../src/journal/reader.js";
import { replayJournal } from "../../../src/journal/replay.js";
import { PACKAGE_ROOT } from "../../../src/package.js";
import { composeResults } from "../../../src/reading/results.js";

const HISTORIES = join(PACKAGE_ROOT, "test", "histories");
const HISTORY = readdirSync(HISTORIES).find((name) => name.endsWith("vision-online.journal"))!;

let runFolder: string;
let temporaryFolder: string;

/** A run folder whose journal is a recorded one. */
async function writeRun(folder: string): Promise<void> {
  cpSync(join(HISTORIES, HISTORY), join(folder, "journal"));
  const { records } = await readJournal(folder);
  writeFileSync(join(folder, "results.json"), JSON.stringify(composeResults(replayJournal(records), 1)));
  writeFileSync(join(folder, "manifest.json"), "{}");
  writeFileSync(join(folder, "lock.1"), "");
}

beforeEach(async () => {
  runFolder = mkdtempSync(join(tmpdir(), "thawline-test-"));
  temporaryFolder = mkdtempSync(join(tmpdir(), "thawline-test-"));
  await writeRun(runFolder);
});

/** Changes the first record that `change` takes, as a run that went another way would have it. */
async function alter(change: (record: JournalRecord) => boolean): Promise<void> {
  const { records } = await readJournal(runFolder);
  const altered = JSON.parse(JSON.stringify(records)) as JournalRecord[];
  expect(altered.some(change)).toBe(true);
  writeFileSync(join(runFolder, "journal"), altered.map((record) => encodeRecord(record)).join(""));
}

test("a run is the same as itself", async () => {
  const evidence = await evidenceOf(runFolder);
  expect(firstDifference(evidence, await evidenceOf(runFolder))).toBeNull();
  expect(JSON.stringify(evidence)).toContain("weights_sha256");
});

test("the last bit of one value of the series is a difference, and has its place", async () => {
  const expected = await evidenceOf(runFolder);
  await alter(({ event }) => {
    if (event.type !== "worker/reachedBoundary") return false;
    // Not the signal's: that one is judged, and the journal would not replay.
    const beside = event.body.metrics.find(({ key }) => key === "probe/label_uncertainty");
    if (beside === undefined) return false;
    (beside as { value: number }).value = (beside.value as number) * (1 + Number.EPSILON);
    return true;
  });
  expect(firstDifference(expected, await evidenceOf(runFolder))).toMatch(
    /^\$\.series\.probe\/label_uncertainty\.0\.value: /,
  );
});

test("other parameters that train are a difference", async () => {
  const expected = await evidenceOf(runFolder);
  await alter(({ event }) => {
    if (event.type !== "worker/applied") return false;
    (event.body as { trainable_sha256: string }).trainable_sha256 = "0".repeat(64);
    return true;
  });
  expect(firstDifference(expected, await evidenceOf(runFolder))).toMatch(/^\$\.masks\.1: /);
});

test("other weights at the end are a difference", async () => {
  const expected = await evidenceOf(runFolder);
  const line = JSON.stringify(expected["results"]);
  writeFileSync(join(runFolder, "results.json"), line.replace(/"weights_sha256":"../, '"weights_sha256":"00'));
  expect(firstDifference(expected, await evidenceOf(runFolder))).toMatch(/^\$\.results\.weights_sha256: /);
});

test.each([undefined, null, 0, -0, "", [], {}])(
  "a value that is missing, or %j, is told apart from others",
  (value) => {
    expect(firstDifference({ a: value }, { a: 1 })).toMatch(/^\$\.a: /);
    expect(firstDifference({ a: 1 }, value === undefined ? {} : { a: value })).toMatch(/^\$\.a: /);
  },
);

test("whatever an undisturbed run does not leave is left over; a lock that is held, and what is missing, too", () => {
  const expected = filesOf(runFolder);
  const folders = { runFolder, temporaryFolder };
  expect(leftoversOf(folders, expected)).toEqual([]);
  // Each controller has a lock of its own number.
  writeFileSync(join(runFolder, "lock.7"), "");
  expect(leftoversOf(folders, expected)).toEqual([]);
  writeFileSync(join(runFolder, "lock.7"), "{}");
  writeFileSync(join(runFolder, "results.json.tmp-12"), "");
  writeFileSync(join(temporaryFolder, "keys"), "");
  expect(leftoversOf(folders, [...expected, "adapter"])).toEqual([
    "left over in the run folder: results.json.tmp-12",
    "a lock is still held: lock.7",
    "missing in the run folder: adapter",
    "left over in TMPDIR: keys",
  ]);
});
