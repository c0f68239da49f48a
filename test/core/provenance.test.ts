import { expect, it } from "vitest";
import { provenanceOf } from "../../src/core/provenance.js";

const body = { step: 8, split: "ood/frost", values: { accuracy: 0.5 }, num_examples: 5, regenerated: false };

it("of published files says nothing", () => {
  expect(provenanceOf(body)).toEqual({ regenerated: false, fromJpeg: false, leftOut: null, madeWith: null });
});

it("of images made again keeps what they were made from, with what, and why they do not count", () => {
  const made = { ...body, regenerated: true, from_jpeg: true, left_out: "no textures", made_with: "pictures 1.0" };
  expect(provenanceOf(made)).toEqual({
    regenerated: true,
    fromJpeg: true,
    leftOut: "no textures",
    madeWith: "pictures 1.0",
  });
});
