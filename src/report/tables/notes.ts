import { isDone } from "../../reading/run-standing.js";
import type { Sweep } from "../../sweep/swept-run.js";
import { armsOf, type CompletedRun } from "./arms.js";
import { describeMachines } from "./provenance.js";

/** What a caption calls a sweep. */
export function titleOf({ title, name }: Sweep): string {
  return title ?? name;
}

/** What is to be said under every table of a sweep's scores, a sentence each. */
export function sweepNotes(sweep: Sweep): string[] {
  const completed = armsOf(sweep).flatMap((arm) => arm.completed);
  const machines = describeMachines(completed);
  return [...standingNotes(sweep), ...testNotes(completed), ...(machines === null ? [] : [`${machines}.`])];
}

/** Missing and failed runs, and those that were taken from others. */
function standingNotes({ runs, name }: Sweep): string[] {
  const of = (standing: string) => runs.filter((run) => run.standing === standing);
  const counts = ["failed", "interrupted", "running", "pending"].flatMap((standing) => {
    const count = of(standing).length;
    return count === 0 ? [] : [`${count} ${standing}`];
  });
  const ended = runs.filter(({ results }) => results !== null && results.outcome !== "finished");
  const stopped = ended.filter(({ standing }) => isDone(standing));
  if (stopped.length > 0) counts.push(`${stopped.length} stopped before the end`);
  const taken = of("taken").length;
  return [
    ...(counts.length === 0 ? [] : [`Of ${runs.length} runs of ${name}: ${counts.join(", ")}; they are in no number.`]),
    ...of("failed").map(({ id, failure }) => `${id} failed: ${failure ?? "no reason is known"}.`),
    ...(taken === 0 ? [] : [`${taken} of ${runs.length} runs are taken from runs that trained the same.`]),
  ];
}

function testNotes(runs: readonly CompletedRun[]): string[] {
  const ood = runs.flatMap(({ results }) => (results.ood === null ? [] : [results.ood]));
  const images = [...new Set(ood.map(({ images_per_corruption }) => images_per_corruption))].sort((a, b) => a - b);
  const counted = [...new Set(ood.map((one) => Object.keys(one.per_corruption).length - countLeftOut(one)))].sort(
    (a, b) => a - b,
  );
  const leftOut = new Map(ood.flatMap((one) => Object.entries(one.left_out)));
  return [
    ...(images.length === 0
      ? []
      : [`OOD is the mean over ${counted.join(" or ")} corruptions, ${images.join(" or ")} images each.`]),
    ...[...leftOut].map(([corruption, why]) => `Not in that mean: ${corruption} (${why}).`),
  ];
}

/** Those that could not be made are in neither. */
function countLeftOut({ per_corruption, left_out }: NonNullable<CompletedRun["results"]["ood"]>): number {
  return Object.keys(left_out).filter((name) => Object.hasOwn(per_corruption, name)).length;
}
