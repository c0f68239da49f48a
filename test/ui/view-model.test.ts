import { beforeEach, describe, expect, it } from "vitest";
import type { OperatorCommand } from "../../src/core/events.js";
import { createViewModel, type ViewModel } from "../../src/ui/view-model.js";
import { panelOf, questionFor } from "../../src/ui/view-state.js";
import { simulateRun } from "./journal-builder.js";
import { MOMENTS } from "./moments.js";

let given: { runFolder: string; epoch: number; command: OperatorCommand }[];
let left: string[];

function createModel(interrupt: "stop" | "leave", runFolders = ["runs/a"]): ViewModel {
  return createViewModel({
    runFolders,
    interrupt,
    now: 0,
    giveCommand: (runFolder, epoch, command) => `id-${given.push({ runFolder, epoch, command })}`,
    leave: (why) => left.push(why),
  });
}

beforeEach(() => {
  given = [];
  left = [];
});

const waiting = MOMENTS["waiting"]!();

describe("view model", () => {
  it("asks before it orders, and takes only y for yes", () => {
    const model = createModel("stop");
    model.append(0, waiting.records);
    model.press(["u"]);
    expect(questionFor(model.snapshot().view.asked!, waiting.state)).toContain("That decides k");
    model.press(["n"]);
    expect(given).toEqual([]);
    model.press(["u"]);
    model.press(["y"]);
    expect(given).toEqual([{ runFolder: "runs/a", epoch: 1, command: { verb: "unfreeze" } }]);
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
    expect(given.map(({ command }) => command.verb)).toEqual(["checkpoint"]);
  });

  it("pauses a run that trains and continues one that is paused", () => {
    const command = { type: "operator/commanded", id: "1", who: "wolf", command: { verb: "pause" } } as const;
    const paused = simulateRun({ outside: [{ at: 50, event: command }] });
    expect(paused.state.paused).toBe(true);
    const model = createModel("leave");
    model.append(0, paused.records);
    model.press(["p"]);
    expect(model.snapshot().view.asked).toEqual({ verb: "continue" });
    expect(model.snapshot().runs[0]!.answers["1"]).toMatch(/^done before update \d+$/);
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
    expect(given.map(({ command }) => command)).toEqual([{ verb: "stop" }]);
    expect(left).toEqual([]);
    model.press(["ctrl+c"]);
    expect(given).toHaveLength(1);
    expect(left).toEqual(["interrupted"]);
  });

  it("keeps a Ctrl-C for a controller that has not started yet", () => {
    const model = createModel("stop");
    model.press(["ctrl+c"]);
    expect(given).toEqual([]);
    model.append(0, waiting.records);
    expect(given.map(({ command }) => command.verb)).toEqual(["stop"]);
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
    model.tick(1);
    leave();
    model.tick(2);
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
  });
});
