import { describe, expect, it } from "vitest";
import { SWEEP_KEYMAP, sweepBindingFor } from "../../../src/ui/model/sweep-keymap.js";
import {
  INITIAL_SWEEP_VIEW,
  pressSweepKey,
  type SweepEffect,
  type SweepView,
} from "../../../src/ui/model/sweep-view-state.js";
import { listOf } from "../../../src/ui/model/sweep-rows.js";
import { watchedSweep } from "../../support/watched-sweeps.js";

const sweep = watchedSweep(5, 4);

function press(keys: readonly string[], from: SweepView = INITIAL_SWEEP_VIEW, interrupt: "stop" | "leave" = "leave") {
  let view = from;
  let effect: SweepEffect = null;
  for (const key of keys) ({ view, effect } = pressSweepKey(view, key, sweep, interrupt));
  return { view, effect };
}

const type = (text: string): string[] => Array.from(text);

describe("keys of a sweep's view", () => {
  it("have one meaning each", () => {
    const keys = SWEEP_KEYMAP.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const binding of SWEEP_KEYMAP) for (const key of binding.keys) expect(sweepBindingFor(key)).toBe(binding);
  });

  it("move over the matrix and the list, and stay inside", () => {
    expect(press(["home", "up"]).view.cursor).toBe(sweep.runs[0]!.id);
    expect(press(["home", "right", "right", "right", "right"]).view.cursor).toBe("standard-seed3-0123456789");
    expect(press(["home", "end"]).view.cursor).toBe("online-4-seed0-0123456789");
    expect(press(["tab", "end"]).view.cursor).toBe(sweep.runs.at(-1)!.id);
  });

  it("write the filter, in which letters are no keys", () => {
    const { view, effect } = press(["/", ...type("qos failed"), "backspace", "backspace"]);
    expect(view).toMatchObject({ filter: "qos fail", typing: true, face: "list" });
    expect(effect).toBeNull();
    expect(press(["/", ...type("online-1"), "return"]).view.typing).toBe(false);
    expect(listOf(sweep, "online-1 FAILED", "plan").map(({ id }) => id)).toEqual(["online-1-seed3-0123456789"]);
    expect(press(["/", ...type("x"), "esc"]).view).toMatchObject({ filter: "", typing: false });
  });

  it("sort by what is asked for, those without a value last", () => {
    expect(press(["s", "s"]).view.sort).toBe("score");
    const scores = listOf(sweep, "", "score").map(({ scores: found }) => found?.["ood/mean"] ?? -1);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(listOf(sweep, "", "state")[0]!.standing).toBe("failed");
  });

  it("select up to four runs that have begun, and draw two or more over each other", () => {
    expect(press(["home", " ", "o"]).view.notice).toMatch(/2 to 4/);
    const { effect } = press(["home", " ", "down", " ", "o"]);
    expect(effect).toMatchObject({ type: "open", runs: [{ id: sweep.runs[0]!.id }, { id: sweep.runs[1]!.id }] });
    const five = press(["tab", "home", " ", "down", " ", "down", " ", "down", " ", "down", " "]);
    expect(five.view.selected.length).toBe(4);
    expect(five.view.notice).toMatch(/4 runs are selected/);
    expect(press(["home", " ", " "]).view.selected).toEqual([]);
    expect(press(["esc"], five.view).view.selected).toEqual([]);
  });

  it("open a run that has begun, and no other", () => {
    expect(press(["home", "return"]).effect).toMatchObject({ type: "open", runs: [{ condition: "standard" }] });
    const pending = sweep.runs.find(({ standing }) => standing === "pending")!;
    const { effect, view } = press(["return"], { ...INITIAL_SWEEP_VIEW, cursor: pending.id });
    expect([effect, view.notice]).toEqual([null, "this run has not begun"]);
  });

  it("stop the runs by Ctrl-C where they are made here, also while a filter is written, and leave elsewhere", () => {
    expect(press(["/", "ctrl+c"], INITIAL_SWEEP_VIEW, "stop")).toMatchObject({
      effect: { type: "interrupt" },
      view: { interrupted: true },
    });
    expect(press(["ctrl+c"]).effect).toEqual({ type: "leave" });
    expect(press(["q"]).effect).toEqual({ type: "leave" });
  });
});
