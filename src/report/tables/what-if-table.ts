import type { Sweep } from "../../sweep/swept-run.js";
import { momentsOf } from "../../statistics/moments.js";
import { signalName } from "../../words/names.js";
import { scaleMarks } from "./marks.js";
import { titleOf } from "./notes.js";
import { cell, column, type Cell, type Table } from "./table.js";
import { foundOffline, foundOnline, type AskedRule } from "./what-if.js";

/**
 * Which k every rule would have found in every run that has a signal, online and offline, without training. A row for
 * each condition, signal and rule. Null where no run has one.
 *
 * @param notAsked recorded signals of which it is not known which values are better
 */
export function whatIfTable(sweep: Sweep, asked: readonly AskedRule[], notAsked: readonly string[] = []): Table | null {
  const seeds = [...new Set(sweep.runs.map(({ seed }) => seed))].sort((a, b) => a - b);
  if (asked.length === 0) return null;
  const updates = { unit: "updates" } as const;
  return {
    name: "what-if",
    caption: `${titleOf(sweep)}: k that other rules would have found`,
    stub: "condition, signal and rule",
    columns: [
      ...seeds.map((seed) => column(`seed-${seed}`, `online, seed ${seed}`, updates)),
      column("k", "online, mean", updates),
      column("found", "found online", { unit: "count", shown: "text" }),
      column("k_offline", "offline, by seed", { ...updates, shown: "points" }),
    ],
    rows: asked.map((one) => ({
      label: `${one.arm.label}, ${signalName(one.signal)}, tau ${one.tau}, epsilon ${one.epsilon}`,
      marks: scaleMarks(sweep.scale),
      cells: cellsOf(one, seeds),
    })),
    notes: [
      "Online: where the rule fires on the series that the run measured or recorded; a dash: nowhere in it, and it may end at the run's own decision.",
      "Offline: Algorithm 2 on the whole of that series, at each seed where it finds a k.",
      ...plateauNotes(asked),
      ...notAsked.map(
        (signal) =>
          `${signalName(signal)} was not asked about, since nobody has said which of its values are better: --what-if mode=min or mode=max does.`,
      ),
      "With a tau other than the run's own the noise of a change is bounded by the sum of single changes, so that it may fire later.",
    ],
    sources: [sweep.name],
  };
}

/** By which rule a recorded signal is asked, and in which direction. */
function plateauNotes(asked: readonly AskedRule[]): string[] {
  const said = asked.flatMap(({ signal, answers }) =>
    answers.flatMap(({ answer: { mode } }) =>
      mode === undefined
        ? []
        : [`${signalName(signal)} by the rule of a plateau, ${mode === "min" ? "lower" : "higher"} values better.`],
    ),
  );
  return [...new Set(said)];
}

function cellsOf(asked: AskedRule, seeds: readonly number[]): Cell[] {
  const online = foundOnline(asked);
  const { n, mean, standardDeviation } = momentsOf(online.map(({ value }) => value));
  const { length } = asked.answers;
  return [
    ...seeds.map((seed) => cell({ value: online.find((point) => point.seed === seed)?.value ?? null })),
    mean === null ? cell() : cell({ value: mean, standardDeviation, n, points: online }),
    cell({ value: online.length, n: length, text: `${online.length} of ${length}` }),
    cell({ points: foundOffline(asked) }),
  ];
}
