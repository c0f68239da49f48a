import { z } from "zod";
import { atLeast, keyFacts } from "./fields.js";

export const checkpoint = z.strictObject({
  every: atLeast(1).default(500).describe("Updates between two checkpoints; one more is written at the end."),
  keep: atLeast(1).default(2).describe("Newest checkpoints kept on disk."),
});
keyFacts.add(checkpoint, {
  instead: "an attached script writes its own checkpoints, with `run.state_dict()` in them",
});
