import type { Body } from "../protocol/messages.js";

/** Where the examples of a test set come from. */
export interface Provenance {
  /** They are not the published files, but made again from the clean ones. */
  readonly regenerated: boolean;
  /** The images that they were made from were JPEG files. */
  readonly fromJpeg: boolean;
  /** Why an out-of-distribution split does not count in their mean, or null. */
  readonly leftOut: string | null;
  /** What it was regenerated with, besides the clean data, or null. */
  readonly madeWith: string | null;
}

/** As the worker tells it, which leaves out what there is not. */
export function provenanceOf(body: Body<"evaluated">): Provenance {
  const { regenerated, from_jpeg: fromJpeg = false, left_out: leftOut = null, made_with: madeWith = null } = body;
  return { regenerated, fromJpeg, leftOut, madeWith };
}
