import { cleanup, render } from "ink-testing-library";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../../src/ui/live-view.js";
import { createTheme } from "../../src/ui/theme.js";
import { KeyDecoder } from "../../src/ui/model/key-decoder.js";
import { createViewModel } from "../../src/ui/model/view-model.js";
import { MOMENTS } from "../support/moments.js";

afterEach(cleanup);

function show() {
  const left: string[] = [];
  const given: string[] = [];
  const model = createViewModel({
    runFolders: ["runs/a"],
    interrupt: "leave",
    now: 0,
    giveRequest: (_, __, { verb }) => `id-${given.push(verb)}`,
    leave: (why) => left.push(why),
  });
  const terminal = render(<App model={model} theme={createTheme({ color: false, unicode: true })} />);
  const press = async (keys: string): Promise<string> => {
    model.press(new KeyDecoder().decode(keys));
    await sleep(20);
    return terminal.lastFrame() ?? "";
  };
  return { model, left, given, press, frame: () => terminal.lastFrame() ?? "" };
}

describe("App", () => {
  it("follows the journal and answers to keys", async () => {
    const { model, left, given, press, frame } = show();
    expect(frame()).toContain("waiting for the journal of runs/a");
    await sleep(20);
    model.append(0, MOMENTS["waiting"]!().records);
    await sleep(20);
    expect(frame()).toContain("WAITING FOR k");
    expect(await press("?")).toContain("stop the run, with a checkpoint");
    expect(await press("\u001b")).not.toContain("stop the run, with a checkpoint");
    expect(await press("y")).toContain("(log)");
    expect(await press("e")).toContain("evaluate now? Training waits for it");
    expect(await press("y")).toContain("evaluate: ordered, not done yet");
    expect(given).toEqual(["evaluate"]);
    await press("\u0003");
    expect(left).toEqual(["interrupted"]);
  });
});
