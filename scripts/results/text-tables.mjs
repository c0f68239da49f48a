// The tables of the text runs, from their summaries: `{head, rows}`, rows as texts. Scores are F1 in per cent.

const PREFIX = "xquad-small-";
const STANDARD = "standard";
const ENGLISH = "en";
const COVERAGE = 0.95;

const textRuns = (results) => results.filter(({ id }) => id.startsWith(PREFIX));
const interventionOf = ({ id }) => id.slice(PREFIX.length).replace(/-seed\d+$/, "");
const seedOf = ({ id }) => Number(/-seed(\d+)$/.exec(id)[1]);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** F1 by language, English first: the held-out articles, which are the same in all languages. */
export function scoresOf({ results }) {
  const others = Object.entries(results.scores?.xquad?.per_language ?? {}).filter(([language]) => language !== ENGLISH);
  const english = results.in_dist === null ? [] : [[ENGLISH, results.in_dist]];
  return Object.fromEntries([...english, ...others].map(([language, { f1 }]) => [language, 100 * f1]));
}

/** The languages that every run was tested in. */
function commonLanguages(runs) {
  const tested = runs.map((run) => Object.keys(scoresOf(run)));
  return (tested[0] ?? []).filter((language) => tested.every((languages) => languages.includes(language)));
}

/** Mean over the languages other than English: over the same ones for all runs, whatever else a run was tested in. */
const crossLingual = (run, languages) =>
  mean(languages.filter((language) => language !== ENGLISH).map((language) => scoresOf(run)[language]));

/**
 * Percentile bootstrap interval of a mean, exact: over all n^n equally likely resamples. Null below two values. With
 * three values it is the range, since thrice the smallest has a chance of 1 in 27.
 */
export function bootstrapInterval(values, coverage = COVERAGE) {
  if (values.length < 2) return null;
  let sums = [0];
  for (let drawn = 0; drawn < values.length; drawn++) sums = sums.flatMap((sum) => values.map((value) => sum + value));
  sums.sort((a, b) => a - b);
  const tail = (sums.length * (1 - coverage)) / 2;
  const lower = Math.floor(tail);
  return [sums[lower], sums[sums.length - 1 - lower]].map((sum) => sum / values.length);
}

function withInterval(values) {
  if (values.length === 0) return "-";
  const interval = bootstrapInterval(values);
  const centre = mean(values).toFixed(1);
  return interval === null ? centre : `${centre} [${interval.map((value) => value.toFixed(1)).join(", ")}]`;
}

function byIntervention(runs) {
  const names = [...new Set(runs.map(interventionOf))].sort((a, b) => (b === STANDARD) - (a === STANDARD));
  return names.map((name) => [name, runs.filter((run) => interventionOf(run) === name).sort(bySeed)]);
}
const bySeed = (a, b) => seedOf(a) - seedOf(b);

/** English, X-ling, and what an intervention adds to the standard training of the same seed. */
function summary(results) {
  const runs = textRuns(results);
  const languages = commonLanguages(runs);
  const groups = byIntervention(runs);
  const standard = new Map(groups.find(([name]) => name === STANDARD)?.[1].map((run) => [seedOf(run), run]));
  const rows = groups.map(([name, group]) => {
    const paired = name === STANDARD ? [] : group.filter((run) => standard.has(seedOf(run)));
    const gains = paired.map(
      (run) => crossLingual(run, languages) - crossLingual(standard.get(seedOf(run)), languages),
    );
    return [
      name,
      group.length,
      group.map(({ results: { k } }) => (k === null ? "-" : `${k.value} (${k.source})`)).join(", "),
      withInterval(group.map((run) => scoresOf(run)[ENGLISH])),
      withInterval(group.map((run) => crossLingual(run, languages))),
      withInterval(gains),
    ];
  });
  return { head: ["intervention", "n", "k by seed", ENGLISH, "X-ling", "X-ling, gain over standard"], rows };
}

/** One language a row, over the seeds. */
function perLanguage(results) {
  const runs = textRuns(results);
  const groups = byIntervention(runs);
  return {
    head: ["language", ...groups.map(([name]) => name)],
    rows: commonLanguages(runs).map((language) => [
      language,
      ...groups.map(([, group]) => withInterval(group.map((run) => scoresOf(run)[language]))),
    ]),
  };
}

/** All languages, of the seed that was tested in more of them than the others. */
function allLanguages(results) {
  const runs = textRuns(results);
  const common = commonLanguages(runs).length;
  const groups = byIntervention(runs.filter((run) => Object.keys(scoresOf(run)).length > common));
  const languages = commonLanguages(groups.flatMap(([, group]) => group));
  const rows = languages.map((language) => [
    language,
    ...groups.map(([, [run]]) => scoresOf(run)[language].toFixed(1)),
  ]);
  if (rows.length > 0) {
    rows.push(["X-ling", ...groups.map(([, [run]]) => crossLingual(run, languages).toFixed(1))]);
  }
  return { head: ["language", ...groups.map(([name]) => name)], rows };
}

/** What each signal cost, and which k it gave or would have given. */
function signals(results) {
  const rows = textRuns(results)
    .flatMap((run) => Object.keys(run.series).map((metric) => [metric, run]))
    .filter(([metric, { what_if: asked }]) => asked.some((answer) => answer.metric === metric))
    .sort(([one, a], [other, b]) => one.localeCompare(other) || bySeed(a, b))
    .map(([metric, run]) => {
      const { probe_seconds: probes, train_seconds: training, k } = run.results;
      const boundaries = run.series[metric].update.length;
      const answered = [3, 8].map((tau) => {
        const answer = run.what_if.find((asked) => asked.metric === metric && asked.tau === tau);
        return `${answer.k_online ?? "-"} (${answer.k_offline ?? "-"}${answer.flat ? ", flat" : ""})`;
      });
      const seconds = (probes / boundaries).toFixed(1);
      const share = ((100 * probes) / training).toFixed(0);
      return [
        metric,
        seedOf(run),
        k === null ? "-" : `${k.value} (${k.source})`,
        ...answered,
        boundaries,
        seconds,
        share,
      ];
    });
  const head = ["signal", "seed", "k", "tau 3", "tau 8", "boundaries", "s a boundary", "probes, % of training"];
  return { head, rows };
}

export const TEXT_TABLES = {
  "xquad-small": summary,
  "xquad-small-languages": perLanguage,
  "xquad-small-all-languages": allLanguages,
  "xquad-small-signals": signals,
};
