import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import { chosenBy } from "../../src/starting/chosen-config.js";

const chosen = (...overrides: string[]) =>
  chosenBy((onLeftOut) => loadConfig({ source: "quickstart", overrides, env: {}, cwd: "/", onLeftOut }));

it("keeps what the layers below say in vain beside the configuration", () => {
  const { config, leftOut } = chosen("intervention.kind=none");
  expect(config.intervention.kind).toBe("none");
  expect(leftOut.join("\n")).toContain("`intervention.kind` is `none`");
});

it("is silent where everything has an effect", () => {
  expect(chosen().leftOut).toEqual([]);
});
