import { availableParallelism } from "node:os";
import { execa } from "execa";
import { UserError } from "../errors.js";
import type { Plan } from "./plan.js";
import type { Slot } from "./run-process.js";

/** What a machine has for runs. */
export interface Machine {
  readonly cores: number;
  /** As `CUDA_VISIBLE_DEVICES` names them. */
  readonly gpus: readonly string[];
}

/** The machine, or the part of it that a scheduler gave to this process. */
export async function thisMachine(env: NodeJS.ProcessEnv): Promise<Machine> {
  const given = env["CUDA_VISIBLE_DEVICES"];
  if (given !== undefined) {
    const gpus = given.split(",").filter((name) => name !== "" && name !== "-1" && name !== "NoDevFiles");
    return { cores: availableParallelism(), gpus };
  }
  const { failed, stdout } = await execa("nvidia-smi", ["-L"], { reject: false, timeout: 30_000, stdin: "ignore" });
  const gpus = failed ? [] : stdout.split("\n").flatMap((line) => /^GPU (\d+):/.exec(line)?.[1] ?? []);
  return { cores: availableParallelism(), gpus };
}

/**
 * Places for runs: one a GPU, or `per_gpu`, where runs may use GPUs and there are some; otherwise as many as the cores
 * have threads for.
 *
 * @param jobs as many as the user wants at most; null for as many as fit
 * @throws UserError `too_many_jobs` where GPUs would be shared by more runs than the sweep's file allows
 */
export function slotsOn({ cores, gpus }: Machine, plan: Plan, jobs: number | null): readonly Slot[] {
  const usesGpus = plan.runs.some(({ config }) => config.device?.kind !== "cpu");
  if (!usesGpus || gpus.length === 0) {
    const count = jobs ?? Math.max(1, Math.floor(cores / threadsOf(plan, cores)));
    return Array.from({ length: count }, (_, index) => ({ index, env: {} }));
  }
  const places = Array.from({ length: gpus.length * plan.perGpu }, (_, index) => ({
    index,
    env: { CUDA_VISIBLE_DEVICES: gpus[index % gpus.length]! },
  }));
  if (jobs !== null && jobs > places.length) {
    throw new UserError({
      code: "too_many_jobs",
      message: `\`--jobs ${jobs}\` is more than the ${gpus.length === 1 ? "GPU takes" : `${gpus.length} GPUs take`}: ${places.length} at a time`,
      hint: "write `per_gpu` in the sweep's file to let several runs share a GPU",
    });
  }
  return places.slice(0, jobs ?? places.length);
}

/** Nobody knows how many threads a script takes: one run at a time, unless somebody says otherwise. */
function threadsOf(plan: Plan, cores: number): number {
  return Math.max(1, ...plan.runs.map(({ config }) => config.device?.threads ?? cores));
}
