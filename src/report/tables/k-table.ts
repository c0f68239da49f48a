import type { Sweep } from "../../sweep/swept-run.js";
import { signalName } from "../../words/names.js";
import { armsOf, type Arm, type CompletedRun } from "./arms.js";
import { kCell, offlineCell, wasChosen } from "./k-cells.js";
import { kMarks, scaleMarks } from "./marks.js";
import { cell, column, type Cell, type Table } from "./table.js";

/** k by condition and seed, of the conditions in which something chose it. Null where there is none. */
export function kTable(sweep: Sweep): Table | null {
  const arms = armsOf(sweep).filter(({ completed }) => completed.some(wasChosen));
  if (arms.length === 0) return null;
  const seeds = [...new Set(arms.flatMap(({ planned }) => planned.map(({ seed }) => seed)))].sort((a, b) => a - b);
  const updates = { unit: "updates" } as const;
  return {
    name: "k",
    caption: `${sweep.name}: k by condition and seed`,
    stub: "condition",
    columns: [
      ...seeds.map((seed) => column(`seed-${seed}`, `seed ${seed}`, updates)),
      column("k", "mean", updates),
      column("k_offline", "offline, by seed", { ...updates, shown: "points" }),
    ],
    rows: arms.map((arm) => ({
      label: arm.label,
      marks: scaleMarks(sweep.scale),
      cells: [...seeds.map((seed) => seedCell(arm, seed)), kCell(arm), offlineCell(arm)],
    })),
    notes: [
      ...arms.flatMap(ruleNotes),
      "Offline: Algorithm 2 on the series up to the decision, at each seed where it finds a k.",
    ],
    sources: [sweep.name],
  };
}

function seedCell({ planned, completed }: Arm, seed: number): Cell {
  const run = completed.find(({ run }) => run.seed === seed);
  if (run === undefined) {
    const missing = planned.find((one) => one.seed === seed);
    return missing === undefined ? cell() : cell({ text: missing.results?.outcome ?? missing.standing });
  }
  const { k } = run.results;
  return k === null ? cell({ text: "not decided" }) : cell({ value: k.value, n: 1, marks: kMarks([run]) });
}

/** The rule behind k, without which it says nothing: another `every` is another rule. */
function ruleNotes({ label, completed }: Arm): string[] {
  const rules = [...new Set(completed.filter(wasChosen).map(describeRule))];
  return rules.map((rule) => `${label}: ${rule}.`);
}

function describeRule({ results: { k } }: CompletedRun): string {
  const { signal, every, tau, epsilon } = k!;
  const measured = every === null ? "" : ` every ${every} updates`;
  const window = tau === null ? "" : `, tau ${tau}`;
  const tolerance = epsilon === null ? "" : `, epsilon ${epsilon}`;
  return `${signal === null ? "decided by an operator" : signalName(signal)}${measured}${window}${tolerance}`;
}
