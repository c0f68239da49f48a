// What is kept of a run: how it was made, what came out, its signals, and which k other detectors would have chosen.
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { askWhatIf, replayJournal } from "../../dist/journal/replay.js";
import { readJournal } from "../../dist/journal/reader.js";
import { DEFAULT_EPSILON, SIGNALS } from "../../dist/metrics.js";
import { composeResults } from "../../dist/reading/results.js";
import { notedCommits } from "./commits.mjs";

/** Series that explain a signal; the others can be had by running it again. */
const EXPLANATIONS = ["feature_norm_squared", "label_uncertainty", "sharpness_worst_last"];

export async function summarise(run, folder) {
  const { records } = await readJournal(folder);
  const state = replayJournal(records);
  const { thawline, node, software, device, threads, promise } = readJson(join(folder, "manifest.json"));
  return {
    id: run.id,
    config: run.config,
    settings: run.settings,
    made_by: {
      thawline,
      commit: notedCommits(folder),
      node,
      software,
      device,
      threads,
      processor: cpus()[0].model,
      promise,
    },
    // Derived from the journal once more: the run may have been made before a field of it was there.
    results: composeResults(state, readJson(join(folder, "results.json")).wall_seconds),
    what_if: whatIf(state),
    series: seriesOf(state),
  };
}

function whatIf(state) {
  const { series } = state.signal;
  const measured = SIGNALS.filter((metric) => series[`probe/${metric}`] !== undefined);
  return measured.flatMap((metric) =>
    [3, 8].map((tau) => {
      const { kOnline, offline } = askWhatIf(state, { metric, tau, epsilon: DEFAULT_EPSILON });
      return { metric, tau, k_online: kOnline, k_offline: offline.k, reason: offline.reason, flat: offline.flat };
    }),
  );
}

function seriesOf({ signal: { series } }) {
  const kept = [...SIGNALS, ...EXPLANATIONS].filter((name) => series[`probe/${name}`] !== undefined);
  return Object.fromEntries(
    kept.map((name) => {
      const points = series[`probe/${name}`];
      const column = (key) => points.map((point) => point[key] ?? null);
      const errors = column("standardError");
      const withErrors = errors.some((error) => error !== null);
      return [
        name,
        { update: column("update"), value: column("value"), ...(withErrors && { standard_error: errors }) },
      ];
    }),
  );
}

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
