import { formatAccuracy, formatDuration, formatNumber } from "./format.js";
import type { SweepEnd, SweepEvent } from "../sweep/runner.js";
import type { Plan, PlannedRun } from "../sweep/plan.js";
import type { Sweep } from "../sweep/swept-run.js";
import { isDone, type RunStanding } from "../reading/run-standing.js";

/** `intervention.k=57 train.epochs=2`; empty where a run has no axes. */
export function describeAxes(axes: PlannedRun["axes"]): string {
  return Object.entries(axes)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(" ");
}

/** `random-k seed 0 intervention.k=57` */
export function nameOfRun({ condition, seed, axes }: Pick<PlannedRun, "condition" | "seed" | "axes">): string {
  return [condition, `seed ${seed}`, describeAxes(axes)].filter(Boolean).join(" ");
}

/**
 * One line an event; a failure's last lines follow it.
 *
 * @param seconds that a finished run took
 */
export function sweepEventLine(event: SweepEvent, at: Date, seconds: number | null = null): string {
  const head = `${at.toISOString().slice(11, 19)} ${nameOfRun(event.run)}:`;
  switch (event.type) {
    case "started":
      return `${head} ${event.resumed ? "goes on" : "begins"}`;
    case "decided":
      return `${head} k = ${event.decision.k} (${event.decision.source}) at update ${event.decision.update}`;
    case "finished":
      return `${head} finished${seconds === null ? "" : ` in ${formatDuration(seconds)}`}`;
    case "taken":
      return `${head} trains as ${nameOfRun(event.from)} did, whose results are its own`;
    case "stopped":
      return `${head} stopped ${STOPPED[event.why]}`;
    case "failed": {
      const again = event.again ? "; it is begun again" : "";
      const output = event.end.output === "" ? "" : `\n${event.end.output.replace(/^/gm, "    ")}`;
      return `${head} failed: ${event.end.message}${again}${output}`;
    }
  }
}

const STOPPED = {
  asked: "with a checkpoint",
  "by an operator": "by an operator; the next call goes on with it",
  "claim lost": "here: another sweeper has taken it",
} as const;

const STANDINGS: readonly RunStanding[] = ["finished", "taken", "running", "interrupted", "failed", "pending"];

/** `14 of 60 done: 13 finished, 1 taken; 2 running, 44 pending` */
export function countStandings(standings: Iterable<RunStanding>): string {
  const all = [...standings];
  const count = (which: RunStanding): number => all.filter((standing) => standing === which).length;
  const done = all.filter(isDone).length;
  const parts = STANDINGS.filter((which) => count(which) > 0).map((which) => `${count(which)} ${which}`);
  return `${done} of ${all.length} done${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}

/** The last line of a call. */
export function sweepEndLine({ why, standings }: SweepEnd, again: string): string {
  const counts = countStandings(standings.values());
  const isWhole = [...standings.values()].every(isDone);
  if (isWhole) return `${counts}: the sweep is complete`;
  const reasons = {
    done: "what is left failed or is at work elsewhere",
    interrupted: "interrupted",
    failed: "stopped at the first failure",
    time: "its time is nearly up",
  };
  return `${counts}: ${reasons[why]}; \`${again}\` goes on`;
}

/** What `--dry-run` prints. `seconds` of one run, and what they were estimated from. */
export function describePlan(
  plan: Plan,
  sweep: Sweep | null,
  hours: { readonly seconds: ReadonlyMap<string, number>; readonly from: string } | null,
): string {
  const standings = new Map(sweep?.runs.map(({ id, standing }) => [id, standing]) ?? []);
  const rows = plan.conditions.map((condition) => {
    const own = plan.runs.filter((run) => run.condition === condition);
    const seeds = new Set(own.map(({ seed }) => seed)).size;
    const each = own.length / seeds;
    return `  ${condition.padEnd(28)} ${String(own.length).padStart(4)} runs  (${seeds} seeds${each === 1 ? "" : ` x ${each}`})`;
  });
  const missing = plan.runs.filter(({ id }) => !isDone(standings.get(id) ?? "pending"));
  const lines = [
    `${plan.name}${plan.scale === null ? "" : `, scale \`${plan.scale}\``}: ${plan.runs.length} runs of ${plan.conditions.length} conditions`,
    ...rows,
    ...plan.leftOut.map((sentence) => `note: ${sentence}`),
    ...plan.runs.map((run) =>
      `  ${run.id.padEnd(44)} ${(standings.get(run.id) ?? "pending").padEnd(12)} ${describeAxes(run.axes)}`.trimEnd(),
    ),
  ];
  if (hours !== null) {
    const total = missing.reduce((sum, { id }) => sum + (hours.seconds.get(id) ?? 0), 0);
    lines.push(
      `${missing.length} runs are missing: about ${formatDuration(total)} one after the other (${hours.from})`,
    );
  }
  return lines.join("\n");
}

/** A score by its name: shares of 1 as percentages, what a script recorded as it is. */
export function formatNamedScore(name: string, value: number): string {
  return name.startsWith("recorded/") ? formatNumber(value, 4) : formatAccuracy(value);
}
