export interface TrainedUpdate {
  readonly trainable: readonly string[];
  readonly factor: number;
  /** Blocks whose rate is multiplied by less than 1, with that share. */
  readonly ramps: Readonly<Record<string, number>>;
}

/** What one attempt leaves to the next: the weights stand for everything that training has ever depended on. */
export interface Memory {
  readonly step: number;
  readonly weights: number;
  /** After how many updates the weights were as they are: not `step` where better ones were restored. */
  readonly weightsStep: number;
  /** Boundaries measured so far, for the errors of paired differences. */
  readonly measured: readonly number[];
  /** What freezing left behind, as calibrated BatchNorm does: where it was, and what went on training. */
  readonly frozen: string;
}

/** What a worker starts with that does not resume. */
export const INITIAL: Memory = { step: 0, weights: 2_166_136_261, weightsStep: 0, measured: [], frozen: "" };

/** Checkpoints and best weights, by path. */
export type Disk = Map<string, Memory>;

/** What stands on the disk for a step, in a folder of the run's. */
export function pathOf(folder: "checkpoints" | "best", step: number): string {
  return `${folder}/step-${String(step).padStart(8, "0")}`;
}

export function weightsSha256(weights: number): string {
  return weights.toString(16).padStart(64, "0");
}

/** Weights after one more update: they tell any difference in order, mask or learning rate. */
export function train(
  { weights, frozen }: Memory,
  update: number,
  { trainable, factor, ramps }: TrainedUpdate,
): number {
  let hash = weights;
  const rising = Object.entries(ramps).sort().join(",");
  for (const character of `${update} ${[...trainable].sort().join(",")} ${factor}${rising} ${frozen};`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0;
  }
  return hash;
}
