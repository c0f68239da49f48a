import { resolve } from "node:path";
import type { Checkpoint } from "../core/state.js";
import { UserError } from "../errors.js";
import { encodeMessage, ProtocolError } from "../protocol/codec.js";
import { LIMITS } from "../protocol/limits.js";
import type { Body } from "../protocol/messages.js";
import { PROTOCOL_VERSION } from "../protocol/version.js";
import type { WorkerConfig } from "./worker-config.js";

export function composeWelcome(
  config: WorkerConfig,
  runFolder: string,
  resumeFrom: Checkpoint | null,
): Body<"welcome"> {
  return {
    protocol: PROTOCOL_VERSION,
    run_folder: resolve(runFolder),
    config,
    resume_from:
      resumeFrom === null
        ? null
        : { path: resumeFrom.path, step: resumeFrom.step, manifest_sha256: resumeFrom.manifestSha256 },
  };
}

/** As long as what a worker may be resumed from can be. */
const LONGEST_CHECKPOINT: Checkpoint = {
  step: Number.MAX_SAFE_INTEGER,
  path: `checkpoints/step-${Number.MAX_SAFE_INTEGER}`,
  manifestSha256: "0".repeat(64),
  weightsSha256: "",
};
const LONGEST_SESSION = "s".repeat(64);

/**
 * Refuses a configuration that no `welcome` of the run could carry, before there is anything of the run.
 *
 * @param config what the worker will be told
 * @throws UserError `configuration_too_large` that names the key to shorten
 */
export function requireFittingWelcome(
  config: WorkerConfig,
  { run, runFolder }: { readonly run: string; readonly runFolder: string },
): void {
  const body = composeWelcome(config, runFolder, LONGEST_CHECKPOINT);
  const [attempt, seq] = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  try {
    encodeMessage({ kind: "welcome", run, attempt, session: LONGEST_SESSION, seq, body });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw describeOversize(error, config, run);
  }
}

/** What `prescan` says of one value inside the configuration, by its path. */
const INSIDE = /^\$\.body\.config\.(.+): ((an array|a map|a string) of \d+ .*|nested deeper than \d+)$/s;

function describeOversize(error: ProtocolError, config: WorkerConfig, run: string): Error {
  const [, key, problem, form = "nesting"] = INSIDE.exec(error.message) ?? [];
  if (key !== undefined && problem !== undefined) return tooLarge(`\`${key}\` is ${problem}`, HINTS[form]!(key));
  if (error.message.startsWith("$.run: ")) {
    return tooLarge(`\`name\` gives the run a name of ${run.length} characters`, "shorten `name`");
  }
  // The encoder says so before `prescan` could, and without a path.
  if (error.code === "msgpack") {
    const deepest = deepestKey(config).join(".");
    return tooLarge(`\`${deepest}\` is nested too deeply`, HINTS["nesting"]!(deepest));
  }
  // Nothing that a person wrote: ours.
  if (error.code !== "frame_size") return error;
  const { path, value } = largestPart(config);
  const listed = Array.isArray(value) ? `, a list of ${value.length} entries,` : "";
  return tooLarge(
    `\`${path}\`${listed} takes ${sizeOf(value)} bytes of a message that holds ${LIMITS.frameBytes} in all`,
    HINTS[Array.isArray(value) ? "an array" : "a string"]!(path),
  );
}

const HINTS: Readonly<Record<string, (key: string) => string>> = {
  "an array": (key) => `shorten the list \`${key}\`, for example by spreading its entries over several runs`,
  "a map": (key) => `give fewer keys in \`${key}\``,
  "a string": (key) => `shorten \`${key}\``,
  nesting: (key) => `nest the values of \`${key}\` less deeply`,
};

function tooLarge(what: string, hint: string): UserError {
  return new UserError({
    code: "configuration_too_large",
    message: `the configuration is too large to be sent to the worker: ${what}`,
    hint,
  });
}

/** The smallest part of the configuration that still makes up most of it: what one would have to shorten. */
function largestPart(config: WorkerConfig): { readonly path: string; readonly value: unknown } {
  let [path, value]: [string, unknown] = ["", config];
  for (;;) {
    const parts = isMapping(value) ? Object.entries(value) : [];
    const [first] = parts.sort(([, left], [, right]) => sizeOf(right) - sizeOf(left));
    // At the top there is no key to name, so that its largest part is named however small.
    if (first === undefined || (path !== "" && sizeOf(first[1]) < sizeOf(value) / 2)) return { path, value };
    [path, value] = [path === "" ? first[0] : `${path}.${first[0]}`, first[1]];
  }
}

function deepestKey(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const paths = Object.entries(value).map(([key, inner]) => [key, ...deepestKey(inner)]);
  return paths.sort((left, right) => right.length - left.length)[0] ?? [];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nearly what it takes in a message, where numbers are shorter. */
function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
