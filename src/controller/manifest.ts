import { hostname } from "node:os";
import type { State } from "../core/state.js";

/** The content of `manifest.json`: what a reader needs to judge or repeat the run. */
export interface Manifest {
  readonly run: string;
  readonly thawline: string;
  readonly node: string;
  readonly software: Readonly<Record<string, string>> | null;
  readonly host: string;
  readonly device: string | null;
  readonly threads: number | null;
  readonly data: { readonly kind: string; readonly path: string; readonly checksums_verified: boolean };
  readonly seed: number;
  readonly promise: string;
}

export function composeManifest(state: State, thawlineVersion: string): Manifest {
  const { config, model } = state;
  return {
    run: state.run,
    thawline: thawlineVersion,
    node: process.versions.node,
    software: state.software,
    host: hostname(),
    device: model?.device ?? null,
    threads: model?.threads ?? null,
    data: { kind: config.data.kind, path: config.data.path, checksums_verified: config.data.verify_checksums },
    seed: config.seed,
    promise:
      state.identityDropped.length === 0
        ? "bit-identical to any run with the same configuration, software, processor model and number of threads"
        : `no bit identity: ${state.identityDropped.join("; ")}`,
  };
}
