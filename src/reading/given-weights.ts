import type { State } from "../core/state.js";

/** The file of weights that a network for images began with. */
export interface GivenWeights {
  readonly path: string;
  readonly sha256: string;
  /** Whether the head is not from there, as it had another form; null as long as no worker has said. */
  readonly new_head: boolean | null;
}

export function givenWeights({ config, model }: State): GivenWeights | null {
  const { model: network } = config;
  if (network === undefined || !("weights" in network) || network.weights == null) return null;
  return { path: network.weights, sha256: network.weights_sha256 ?? "", new_head: model?.newHead ?? null };
}
