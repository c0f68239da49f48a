import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { workerConfig } from "../../src/controller/worker-config.js";
import { workerConfigs } from "../vectors/worker-configs/generate.js";

const of = (...overrides: string[]) => workerConfig(loadConfig({ source: "quickstart", overrides, cwd: "/" }));

describe("what the worker is sent", () => {
  it("is committed for the Python side, of configurations of every kind", async () => {
    const file = new URL("../vectors/worker-configs/configs.json", import.meta.url).pathname;
    await expect(`${JSON.stringify(workerConfigs(), null, 1)}\n`).toMatchFileSnapshot(file);
  });

  it("holds nothing that is decided by the controller", () => {
    const decided = ["intervention.epsilon=0.1", "intervention.k_max=50", "probe.until=end", "checkpoint.every=9"];
    const clocks = ["supervision.progress_seconds=5", "supervision.max_restarts=1", "name=other"];
    expect(of(...decided, ...clocks)).toEqual(of());
  });

  it("is the same for a k that is fixed as for one that is found, but for what is measured", () => {
    const [fixed, online] = [of("intervention.k=40"), of()];
    expect(fixed["probe"]).toBeNull();
    expect({ ...fixed, probe: online["probe"] }).toEqual(online);
  });
});
