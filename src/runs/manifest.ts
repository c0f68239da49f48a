import { hostname } from "node:os";
import { jobOf } from "../claims/holder.js";
import type { RunConfig } from "../config/attached.js";
import type { Source } from "../config/schema.js";
import type { State } from "../core/state.js";
import { givenWeights, type GivenWeights } from "../reading/given-weights.js";

/** The content of `manifest.json`: what a reader needs to judge or repeat the run. */
export interface Manifest {
  readonly run: string;
  readonly thawline: string;
  readonly node: string;
  readonly software: Readonly<Record<string, string>> | null;
  readonly host: string;
  /** The Slurm job in which it ended, `<array>_<task>` where it was a task of an array; null outside one. */
  readonly slurm_job: string | null;
  readonly device: string | null;
  readonly threads: number | null;
  readonly data: Images | Texts | null;
  /** The pretrained model that a run begins with, and its commit where it is of the Hub. */
  readonly pretrained: { readonly name: string; readonly revision: string | null } | null;
  /**
   * The file of weights that a network for images began with, its SHA-256, and whether the head is not from there, as it
   * had another form (null as long as the worker has not said).
   */
  readonly given_weights: GivenWeights | null;
  /** The command of a script of the user's own, and the folder in which it was started. */
  readonly script: { readonly command: readonly string[]; readonly folder: string } | null;
  readonly seed: number;
  readonly promise: string;
}

interface Images {
  readonly kind: string;
  readonly path: string;
  readonly checksums_verified: boolean;
}

/** Where texts come from: paths, or splits on the Hub with their commits. */
interface Texts {
  readonly kind: string;
  readonly sources: Readonly<Record<string, Source>>;
}

export function composeManifest(state: State, thawlineVersion: string): Manifest {
  const { config, model } = state;
  const job = jobOf(process.env);
  return {
    run: state.run,
    thawline: thawlineVersion,
    node: process.versions.node,
    software: state.software,
    host: hostname(),
    slurm_job: job === null ? null : (job.task ?? job.id),
    device: model?.device ?? null,
    threads: model?.threads ?? null,
    data: describeData(config),
    pretrained: describePretrained(config),
    given_weights: givenWeights(state),
    script: config.script === undefined ? null : { command: config.script.command, folder: config.script.folder },
    seed: config.seed,
    promise:
      state.identityDropped.length === 0
        ? promiseOf(config)
        : `no bit identity: ${[...state.identityDropped].join("; ")}`,
  };
}

function describeData({ data }: RunConfig): Manifest["data"] {
  if (data === undefined) return null;
  if ("augment" in data) {
    const verified = "verify_checksums" in data && data.verify_checksums;
    return { kind: data.kind, path: data.path, checksums_verified: verified };
  }
  if (data.kind === "xquad_articles") return { kind: data.kind, sources: { xquad: data.path } };
  const { kind, train, development } = data;
  const tests = data.tests.map(({ name, source }) => [`tests/${name}`, source] as const);
  return { kind, sources: { train, development, ...Object.fromEntries(tests) } };
}

function describePretrained({ model }: RunConfig): Manifest["pretrained"] {
  if (model === undefined || !("pretrained" in model)) return null;
  return { name: model.pretrained, revision: model.revision };
}

/** A script's own randomness is not ours to promise anything about. */
function promiseOf({ script }: RunConfig): string {
  return script === undefined
    ? "bit-identical to any run with the same configuration, software, processor model and number of threads"
    : "the same decisions for the same measurements; the script answers for its own randomness";
}
