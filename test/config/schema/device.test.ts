import { expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";
import { outcomeOf } from "../outcome.js";

const load = (...overrides: string[]) => loadConfig({ source: "quickstart", overrides, env: {}, cwd: "/" });

it("refuses that one thread is told whether its cores are shared: it waits for no other", () => {
  expect(outcomeOf("quickstart", "device.threads=1", "device.shared=true")).toBe(
    "command line: `device.shared` has no effect: `device.threads` is 1, and one thread waits for no other / " +
      "remove `device.shared`",
  );
  expect(load("device.threads=1").device.shared).toBeUndefined();
  expect(load("device.threads=2", "device.shared=true").device.shared).toBe(true);
});
