// What a run leaves that must be the same, however often it was killed; and the first place where two of them differ.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readJournal } from "../../dist/journal/reader.js";
import { verifyJournal } from "../../dist/journal/replay.js";

/** Of results.json what tells of time, of attempts and of the moment of the start. */
const OF_THE_OCCASION = /^(?:run|attempts|.*_seconds)$/;

/** Decisions about attempts and about what a script went back before: only a disturbed run has them. */
const OF_DISTURBANCE = new Set(["attempt/ended", "history/voided"]);

/** Everything of a finished run that its configuration determines. Throws where the journal does not replay. */
export async function evidenceOf(runFolder) {
  const results = JSON.parse(readFileSync(join(runFolder, "results.json"), "utf8"));
  const { records } = await readJournal(runFolder);
  const { state } = verifyJournal(records);
  return {
    results: determined(results, state.config.script !== undefined),
    manifest: without("run", JSON.parse(readFileSync(join(runFolder, "manifest.json"), "utf8"))),
    series: seriesOf(state),
    interval: state.interval,
    decisions: decisionsOf(records),
    scores: { evaluations: state.scores.evaluations, validations: state.scores.validations },
    stored: { checkpoints: state.weights.checkpoints, best: state.weights.best, sha256: state.weights.sha256 },
    masks: masksOf(records),
  };
}

/** A script that was resumed from its own checkpoint cannot tell how far its blocks moved, and says so. */
function determined(results, isScript) {
  const entries = Object.entries(results).filter(([key]) => !OF_THE_OCCASION.test(key));
  return Object.fromEntries(entries.filter(([key]) => !(isScript && key === "moved")));
}

/** Every point of every series, without the time that it took. */
function seriesOf({ signal }) {
  const series = Object.entries(signal.series);
  return Object.fromEntries(series.map(([key, points]) => [key, points.map((point) => without("seconds", point))]));
}

function without(name, object) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

/** In order, each as often as it was made; a script that goes back decides anew what it has decided before. */
function decisionsOf(records) {
  const goesBack = records[0].event.config.script !== undefined;
  const made = records
    .flatMap(({ decisions = [] }) => decisions)
    .filter(({ type }) => !OF_DISTURBANCE.has(type))
    .map((decision) => JSON.stringify(decision));
  return goesBack ? [...new Set(made)] : made;
}

/**
 * From which update on what trained, as it was last reported: an attempt that begins tells first what trained up to
 * there. What trains on unchanged is left out, since every attempt tells that once more.
 */
function masksOf(records) {
  const applied = records.filter(({ event }) => event.type === "worker/applied").map(({ event }) => event.body);
  const latest = new Map(applied.map(({ update, trainable_sha256 }) => [update, trainable_sha256]));
  const inOrder = [...latest].sort(([a], [b]) => a - b);
  return Object.fromEntries(inOrder.filter(([, mask], index) => mask !== inOrder[index - 1]?.[1]));
}

/** Where `found` first differs from `expected`, as `$.path: expected, found`; null where they are the same. */
export function firstDifference(expected, found, path = "$") {
  if (Object.is(expected, found)) return null;
  const nested = [expected, found].every((value) => typeof value === "object" && value !== null);
  if (!nested) return `${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const difference = firstDifference(expected[key], found[key], `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}
