import { beforeEach, describe, expect, it } from "vitest";
import type { OperatorRequest } from "../../../src/core/events.js";
import { createViewModel, type ViewModel } from "../../../src/ui/model/view-model.js";
import { panelOf, questionFor } from "../../../src/ui/model/view-state.js";
import type { JournalRecord } from "../../../src/journal/format.js";
import { simulateRun } from "../../support/journal-builder.js";
import { MOMENTS } from "../../support/moments.js";
import { stateWithBlocks } from "../../support/block-values.js";

let given: { runFolder: string; term: number; request: OperatorRequest }[];
let left: string[];

function createModel(interrupt: "stop" | "leave", runFolders = ["runs/a"]): ViewModel {
  return createViewModel({
    runFolders,
    interrupt,
    now: 0,
    giveRequest: (runFolder, term, request) => `id-${given.push({ runFolder, term, request })}`,
    leave: (why) => left.push(why),
  });
}

beforeEach(() => {
  given = [];
  left = [];
});

const waiting = MOMENTS["waiting"]!();

describe("view model", () => {
  it("shows a run as it is, not as it was on the way there", () => {
    const model = createModel("stop");
    let told = 0;
    model.subscribe(() => (told += 1));
    const { records } = simulateRun();
    for (const record of records.slice(0, -1)) model.append(0, [record], false);
    expect([told, model.snapshot().runs[0]!.state]).toEqual([0, null]);
    model.append(0, records.slice(-1), true);
    expect([told, model.snapshot().runs[0]!.state?.end?.outcome]).toEqual([1, "finished"]);
  });

  it("is redrawn for the time of day only where that is seen", () => {
    const seconds = (model: ViewModel, records: readonly JournalRecord[], count: number, step = 1): number => {
      model.append(0, records);
      const start = Date.parse(records.at(-1)!.at);
      model.tick(start);
      let told = 0;
      model.subscribe(() => (told += 1));
      for (let second = 1; second <= count; second += 1) model.tick(start + second * step * 1000);
      return told;
    };
    expect(seconds(createModel("leave"), simulateRun().records, 600)).toBe(0);
    // Each second while the controller may live; then once a minute, that nothing is heard of it.
    expect(seconds(createModel("leave"), waiting.records, 60)).toBe(60);
    expect(seconds(createModel("leave"), waiting.records, 3600)).toBe(60 + 60);
    expect(seconds(createModel("leave"), waiting.records, 240, 0.25)).toBe(60);
    const pause = { type: "operator/requested", id: "1", who: "w", request: { verb: "pause" } } as const;
    const paused = simulateRun({ outside: [{ at: 50, event: pause }] });
    expect(seconds(createModel("leave"), paused.records, 600)).toBe(600);
  });

  it("asks before it orders, and takes only y for yes", () => {
    const model = createModel("stop");
    model.append(0, waiting.records);
    model.press(["u"]);
    expect(questionFor(model.snapshot().view.asked!, waiting.state)).toContain("That decides k");
    model.press(["n"]);
    expect(given).toEqual([]);
    model.press(["u"]);
    model.press(["y"]);
    expect(given).toEqual([{ runFolder: "runs/a", term: 1, request: { verb: "unfreeze" } }]);
    expect(model.snapshot().view.ordered).toEqual({ id: "id-1", verb: "unfreeze" });
    expect(model.snapshot().view.logarithmic).toBe(false);
  });

  it("does not let pasted text answer the question that it asked", () => {
    const model = createModel("stop");
    model.append(0, waiting.records);
    model.press(["x", "y", "y"]);
    expect(given).toEqual([]);
    expect(model.snapshot().view.asked).toEqual({ verb: "stop" });
  });

  it("writes a checkpoint without a question", () => {
    const model = createModel("leave");
    model.append(0, waiting.records);
    model.press(["c"]);
    expect(given.map(({ request }) => request.verb)).toEqual(["checkpoint"]);
  });

  it("pauses a run that trains and continues one that is paused", () => {
    const request = { type: "operator/requested", id: "1", who: "wolf", request: { verb: "pause" } } as const;
    const paused = simulateRun({ outside: [{ at: 50, event: request }] });
    expect(paused.state.operator.paused).toBe(true);
    const model = createModel("leave");
    model.append(0, paused.records);
    model.press(["p"]);
    expect(model.snapshot().view.asked).toEqual({ verb: "continue" });
    expect(model.snapshot().runs[0]!.answers.get("1")?.text).toMatch(/^done before update \d+$/);
  });

  it("orders nothing of a run that has ended", () => {
    const model = createModel("leave");
    model.append(0, simulateRun().records);
    model.press(["x"]);
    expect(model.snapshot().view).toMatchObject({ asked: null, notice: "the run has ended" });
  });

  it("stops the run at the first Ctrl-C and leaves at the second", () => {
    const model = createModel("stop");
    model.append(0, waiting.records);
    model.press(["ctrl+c"]);
    expect(given.map(({ request }) => request)).toEqual([{ verb: "stop" }]);
    expect(left).toEqual([]);
    model.press(["ctrl+c"]);
    expect(given).toHaveLength(1);
    expect(left).toEqual(["interrupted"]);
  });

  it.each([
    ["twice at once", ["ctrl+c", "ctrl+c"], ["interrupted"]],
    ["behind a question that came with it", ["x", "ctrl+c"], []],
    ["between letters", ["q1", "ctrl+c", "y"], []],
  ])("counts a Ctrl-C that arrives %s", (_, keys, leaves) => {
    const model = createModel("stop");
    model.append(0, waiting.records);
    model.press(keys);
    expect(given.map(({ request }) => request.verb)).toEqual(["stop"]);
    expect(left).toEqual(leaves);
  });

  it("says that a request could not be given, stays, and orders the stop once it can", () => {
    let full = true;
    const model = createViewModel({
      runFolders: ["runs/a"],
      interrupt: "stop",
      now: 0,
      giveRequest: (runFolder, term, request) => {
        if (full) throw Object.assign(new Error("no space left"), { code: "ENOSPC", syscall: "write" });
        return `id-${given.push({ runFolder, term, request })}`;
      },
      leave: (why) => left.push(why),
    });
    model.append(0, waiting.records.slice(0, -1));
    model.press(["ctrl+c"]);
    expect(model.snapshot().view.notice).toBe("stop could not be ordered (ENOSPC)");
    full = false;
    model.append(0, waiting.records.slice(-1));
    expect(given.map(({ request }) => request.verb)).toEqual(["stop"]);
  });

  it("keeps a Ctrl-C for a controller that has not started yet", () => {
    const model = createModel("stop");
    model.press(["ctrl+c"]);
    expect(given).toEqual([]);
    model.append(0, waiting.records);
    expect(given.map(({ request }) => request.verb)).toEqual(["stop"]);
    model.append(0, []);
    expect(given).toHaveLength(1);
  });

  it("leaves a watched run alone at Ctrl-C and at q", () => {
    const model = createModel("leave");
    model.append(0, waiting.records);
    model.press(["ctrl+c"]);
    model.press(["q"]);
    expect(given).toEqual([]);
    expect(left).toEqual(["interrupted", "detached"]);
  });

  it("switches between runs in both directions, and orders of the one shown", () => {
    const model = createModel("leave", ["runs/a", "runs/b", "runs/c"]);
    model.append(2, waiting.records);
    model.press(["shift+tab"]);
    model.press(["c"]);
    expect(given[0]!.runFolder).toBe("runs/c");
    model.press(["tab"]);
    expect(model.snapshot().view.shown).toBe(0);
  });

  it("tells its listeners until they leave", () => {
    const model = createModel("leave");
    let told = 0;
    const leave = model.subscribe(() => (told += 1));
    model.append(0, waiting.records);
    leave();
    model.press(["v"]);
    expect(told).toBe(1);
  });
});

describe("panelOf", () => {
  it("shows what is news, and everything else by asking on", () => {
    const { view } = createModel("leave").snapshot();
    const finished = simulateRun().state;
    const panels = [0, 1, 2, 3].map((panel) => panelOf({ ...view, panel }, finished, false));
    expect(panels).toEqual(["results", "signal", "loss", "results"]);
    expect(panelOf(view, waiting.state, false)).toBe("signal");
    expect(panelOf(view, MOMENTS["unfreezing"]!().state, false)).toBe("loss");
    expect(panelOf(view, finished, true)).toBe("signal");
    const split = stateWithBlocks({ head: { "probe/fisher_trace": [1, null] } });
    expect([0, 1, 2, 3].map((panel) => panelOf({ ...view, panel }, split, false))).toEqual([
      "signal",
      "blocks",
      "loss",
      "signal",
    ]);
  });
});
