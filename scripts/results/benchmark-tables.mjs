// The tables of docs/performance.md, from what `npm run bench -- --json FILE` wrote: `{head, rows}`, rows as texts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../python.mjs";

const HEAD = ["part", "what", "points", "rounds", "ratio [quartiles]", "target", "thawline, s", "other side, s"];

/** Of one benchmark, by the name of its file in docs/benchmarks/. */
const measured = (name) => () => {
  const { rows } = JSON.parse(readFileSync(join(ROOT, "docs", "benchmarks", `${name}.json`), "utf8"));
  return { head: HEAD, rows: rows.map(cells) };
};

export function cells({ part, what, ratio, target, met, sides, settings }) {
  const [ours, theirs] = Object.entries(sides);
  // Without rounds of its own a part is measured once.
  const rounds = settings.rounds ?? 1;
  return [
    part,
    what,
    settings.points ?? "-",
    rounds,
    spread(ratio, rounds),
    verdict(target, met),
    number(ours[1].median),
    number(theirs[1].median) + ` (${theirs[0]})`,
  ];
}

function verdict(target, met) {
  if (target === null) return "-";
  const wanted = target.at_least === null ? `<= ${target.at_most}` : `>= ${target.at_least}`;
  return met ? wanted : `${wanted}: **missed**`;
}

/** One round has no quartiles. */
const spread = ({ lower, median, upper }, rounds) =>
  `${number(median)} ${rounds === 1 ? "(n = 1)" : `[${number(lower)}, ${number(upper)}]`}`;
const number = (value) => Number(value.toPrecision(3)).toString();

const BENCHMARKS = ["one-thread", "two-threads", "signals", "signals-two-threads", "text", "transformers", "gpu"];

export const BENCHMARK_TABLES = Object.fromEntries(BENCHMARKS.map((name) => [`benchmark-${name}`, measured(name)]));
