// The lines that say how it goes, and the tables at the end.
import { describeHit } from "./plan.mjs";

/** A line a run, and below it each hit and each problem. */
export function tellRun({ plan, hits, problems, seconds, folders }, { seed, only }) {
  const verdict = problems.length === 0 ? "the same" : "NOT THE SAME";
  const lines = [`run ${plan.index} (${plan.model}): ${verdict}, ${seconds.toFixed(0)} s`];
  for (const hit of hits) lines.push(`    ${describeHit(hit)}: ${hit.outcome}`);
  for (const problem of problems) lines.push(`  ! ${problem.replaceAll("\n", "\n    ")}`);
  if (problems.length > 0) {
    lines.push(`    its folder is kept: ${folders.home}`);
    const chosen = only === null ? "" : ` --only ${only}`;
    lines.push(`    again: npm run chaos -- --seed ${seed} --run ${plan.index}${chosen}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** What was killed how often and in how many runs, and how many of these runs were the same. */
export function tellEnd(runs, { seconds, seed }) {
  const rows = new Map();
  const count = (key, same) => {
    const row = rows.get(key) ?? { times: 0, runs: new Set(), same: new Set() };
    row.times += 1;
    row.runs.add(same.index);
    if (same.ok) row.same.add(same.index);
    rows.set(key, row);
  };
  for (const { plan, hits, problems } of runs) {
    const same = { index: plan.index, ok: problems.length === 0 };
    for (const hit of done(hits)) {
      count(hit.action === "stop" ? `${hit.victims[0]} (stopped)` : sorted(hit.outcome), same);
      if (hit.when.at === "failpoint") count(`  at ${hit.when.name}`, same);
    }
  }
  const names = [...rows.keys()].sort(
    (a, b) => Number(a.startsWith(" ")) - Number(b.startsWith(" ")) || (a < b ? -1 : 1),
  );
  const width = Math.max(10, ...names.map((name) => name.length));
  const line = (name, ...cells) => `${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(10)).join("")}`;
  const table = names.map((name) => {
    const { times, runs: of, same } = rows.get(name);
    return line(name, times, of.size, same.size);
  });
  const same = runs.filter(({ problems }) => problems.length === 0).length;
  const slowest = Math.max(0, ...runs.flatMap(({ orphanSeconds }) => orphanSeconds));
  const missed = runs.flatMap(({ hits }) => hits).filter(({ outcome }) => outcome === "not reached").length;
  process.stdout.write(
    `${["", line("killed", "times", "runs", "the same"), ...table, ""].join("\n")}\n` +
      `${killsOf(runs)} kills in ${runs.length} runs; ${same} of ${runs.length} runs the same\n` +
      `slowest end of a process after its controller: ${slowest.toFixed(2)} s; moments not reached: ${missed}\n` +
      `seed ${seed}, ${(seconds / 60).toFixed(1)} minutes\n`,
  );
}

/** How many kills there were in these runs. */
export function killsOf(runs) {
  return runs.flatMap(({ hits }) => done(hits)).filter(({ action }) => action === "kill").length;
}

function done(hits) {
  return hits.filter(({ outcome }) => outcome !== null && outcome !== "not reached");
}

function sorted(outcome) {
  return outcome.split("+").sort().join(" and ");
}
