import { describe, expect, it } from "vitest";
import type { State } from "../../../src/core/state.js";
import { askWhatIf } from "../../../src/journal/replay.js";
import { askRules, unasked } from "../../../src/report/tables/what-if.js";
import { whatIfTable } from "../../../src/report/tables/what-if-table.js";
import type { Sweep, SweptRun } from "../../../src/sweep/swept-run.js";
import { recordedSweep } from "../../support/recorded-sweep.js";
import { plateau, recordedRun } from "../../support/recorded-run.js";
import { simulatedConfig, SimulatedRun } from "../../support/simulated-run.js";

const recorded = recordedSweep("mnist-width8");
const sweep: Sweep = {
  ...recorded,
  runs: recorded.runs.filter(({ condition }) => ["standard", "online-fisher-trace"].includes(condition)),
};
const measured = new SimulatedRun(simulatedConfig("probe.until=end")).finish().state;
const unmeasured = new SimulatedRun(simulatedConfig("intervention.k=9")).state;
const rules = { tau: [3, 8], epsilon: [0.02, 0.05], mode: null };

function stateOf({ condition, seed }: SweptRun): State | null {
  if (condition === "standard") return unmeasured;
  return seed === 2 ? null : measured;
}

describe("the table of other rules", () => {
  const table = whatIfTable(sweep, askRules(sweep, stateOf, rules))!;

  it("has a row for each condition, signal and rule", () => {
    expect(table.rows.map(({ label }) => label)).toEqual(
      ["tau 3, epsilon 0.02", "tau 3, epsilon 0.05", "tau 8, epsilon 0.02", "tau 8, epsilon 0.05"].map(
        (rule) => `online-fisher-trace, tr(F), ${rule}`,
      ),
    );
  });

  it("has what asking each run gives, online and offline", () => {
    const [row] = table.rows;
    const answer = askWhatIf(measured, { metric: "fisher_trace", tau: 3, epsilon: 0.02 });
    expect(answer.kOnline).not.toBeNull();
    expect(row!.cells.slice(0, 4).map(({ value }) => value)).toEqual([
      answer.kOnline,
      answer.kOnline,
      null,
      answer.kOnline,
    ]);
    expect(row!.cells[4]!.text).toBe("2 of 2");
    expect(row!.cells[5]!.points.map(({ value }) => value)).toEqual(
      answer.offline.k === null ? [] : [answer.offline.k, answer.offline.k],
    );
  });

  it("asks about what scripts recorded, too, in the direction that they named or that is asked for", () => {
    const { state } = recordedRun(plateau).finish();
    const ask = (mode: "max" | null) =>
      askRules(sweep, () => state, { tau: [2], epsilon: [0.02], mode }).filter(
        ({ signal, arm }) => signal === "recorded:loss" && arm.condition === "standard",
      );
    const better = (mode: "min" | "max") =>
      askWhatIf(state, { metric: "recorded:loss", tau: 2, epsilon: 0.02, mode }).kOnline;
    expect(state.interval).toMatchObject({ source: "online", k: better("min") });
    expect(ask(null)[0]!.answers[0]!.answer.kOnline).toBe(better("min"));
    expect(ask("max")[0]!.answers[0]!.answer.kOnline).toBe(better("max"));
    const told = whatIfTable(sweep, ask(null))!;
    expect(told.rows[0]!.label).toBe("standard, loss, tau 2, epsilon 0.02");
    expect(told.notes).toContain("loss by the rule of a plateau, lower values better.");
  });

  it("does not guess which values of what was recorded are better, and names what it left out", () => {
    const { state } = recordedRun(plateau, "intervention.k=9").finish();
    const attached = { ...state, config: { ...state.config, script: "train.py" } } as unknown as State;
    const question = { ...rules, tau: [2] };
    const asked = (one: State, mode: "min" | null) => askRules(sweep, () => one, { ...question, mode });
    expect(asked(attached, null).map(({ signal }) => signal)).not.toContain("recorded:loss");
    expect(unasked(sweep, () => attached, question)).toEqual(["recorded:loss"]);
    expect(asked(attached, "min").map(({ signal }) => signal)).toContain("recorded:loss");
    expect(unasked(sweep, () => attached, { ...question, mode: "min" })).toEqual([]);
    const table = whatIfTable(sweep, asked(measured, null), ["recorded:loss"])!;
    expect(table.notes.join(" ")).toContain("loss was not asked about, since nobody has said");
  });

  it("knows which values are better of what a built-in training records", () => {
    const record = (step: number) => ({ validation_loss: step, development_f1: step });
    const { state } = recordedRun(record, "intervention.k=9").finish();
    const modes = askRules(sweep, () => state, { ...rules, tau: [2] }).map(({ signal, answers }) => [
      signal,
      answers[0]!.answer.mode,
    ]);
    expect(Object.fromEntries(modes)).toMatchObject({
      "recorded:validation_loss": "min",
      "recorded:development_f1": "max",
    });
  });

  it("asks for the state of every run once", () => {
    const asked: string[] = [];
    askRules(sweep, (run) => (asked.push(run.id), stateOf(run)), rules);
    expect(asked.sort()).toEqual(sweep.runs.map(({ id }) => id).sort());
  });

  it("is none where nothing was measured", () => {
    expect(
      whatIfTable(
        sweep,
        askRules(sweep, () => unmeasured, rules),
      ),
    ).toBeNull();
    expect(
      whatIfTable(
        sweep,
        askRules(sweep, () => null, rules),
      ),
    ).toBeNull();
  });
});
