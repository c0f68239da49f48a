import { expect, it } from "vitest";
import { checkNode } from "../../src/verbs/doctor.js";

it("accepts the Node versions that thawline runs on", () => {
  expect(["20.18.3", "18.20.0", "20.19.0", "22.0.0"].map((version) => checkNode(version).status)).toEqual([
    "fail",
    "fail",
    "ok",
    "ok",
  ]);
});
