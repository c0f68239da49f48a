import type { Sweep, SweptRun } from "../../sweep/swept-run.js";
import type { RunStanding } from "../../reading/run-standing.js";
import { formatCount } from "../../words/format.js";
import { countStandings } from "../../words/sweep.js";
import type { SweepFacts } from "../sweeps/sweep-facts.js";
import { armsOf } from "../tables/arms.js";
import { describeMachines } from "../tables/provenance.js";

/** What a reader has to know before believing the numbers of a sweep. */
export function sweepNotes({ sweep, runs, unread }: SweepFacts): string[] {
  const capped = sweep.runs.filter(({ results }) => results?.k?.source === "cap");
  const completed = armsOf(sweep).flatMap((arm) => arm.completed);
  const machines = describeMachines(completed);
  return [
    ...standingNotes(sweep),
    ...(sweep.scale === null
      ? []
      : [`made with the settings of scale \`${sweep.scale}\`: every number is of that scale`]),
    ...unread.map(({ folder, why }) => `\`${folder}\` is left out: ${why}`),
    ...sweep.runs.flatMap(({ id, takenFrom }) =>
      (takenFrom !== null ? [] : (runs.get(id)?.notes ?? [])).map((note) => `${id}: ${note}`),
    ),
    ...(capped.length === 0
      ? []
      : [`k came from its cap k_max, not from a signal, in ${formatCount(capped.length, "run")}: ${namesOf(capped)}`]),
    ...(completed.some(({ results }) => results.ood?.regenerated === true)
      ? [
          "the corrupted images were regenerated here: scores on them are not comparable with those on the published files",
        ]
      : []),
    ...(completed.some(({ results }) => results.images_from_jpeg)
      ? ["the test images come from JPEG copies: their scores are not those of the benchmark"]
      : []),
    ...(machines === null ? [] : [machines]),
  ];
}

function namesOf(runs: readonly SweptRun[]): string {
  const shown = runs.slice(0, 8).map(({ id }) => id);
  return `${shown.join(", ")}${runs.length > shown.length ? `, and ${runs.length - shown.length} more` : ""}`;
}

/** How many runs there are of those planned, and which are not there, or are another's. */
function standingNotes({ runs }: Sweep): string[] {
  const of = (...which: RunStanding[]): SweptRun[] => runs.filter(({ standing }) => which.includes(standing));
  const stopped = of("finished").filter(({ results }) => results !== null && results.outcome !== "finished");
  const named = (words: string, which: readonly SweptRun[]): string[] =>
    which.length === 0 ? [] : [`${words}: ${namesOf(which)}`];
  const isWhole = runs.every(({ standing }) => standing === "finished");
  return [
    ...(isWhole ? [] : [`${countStandings(runs.map(({ standing }) => standing))}; only what is done is in a number`]),
    ...named("missing", of("running", "interrupted", "pending")),
    ...named("failed", of("failed")),
    ...named("ended without results of their own training", stopped),
    ...of("taken").map(
      ({ id, takenFrom }) => `${id} has the results of ${takenFrom ?? "another run"}, which trained the same`,
    ),
  ];
}
