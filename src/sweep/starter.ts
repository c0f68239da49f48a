import { relative, resolve } from "node:path";
import { isConfigFile, loadConfig } from "../config/layers/load.js";
import { METRIC_TABLE, SIGNALS } from "../metrics.js";

/** Rounded to a number that a person would write. */
function rounded(value: number): number {
  const step = value >= 100 ? 10 : value >= 20 ? 5 : 1;
  return Math.max(1, Math.round(value / step) * step);
}

/**
 * A sweep to begin with, as YAML with comments: whether gradual unfreezing pays on these data, and whether an online
 * signal finds a good k.
 *
 * @throws UserError where the configuration itself is wrong
 */
export function starterOf(source: string, cwd: string): string {
  const config = loadConfig({ source, cwd });
  const isFile = isConfigFile(source);
  const base = isFile ? relative(cwd, resolve(cwd, source)) : source;
  const length = config.train.updates;
  const ks = (length === null ? [50, 200] : [length / 20, length / 8]).map(rounded);
  return `# Does gradual unfreezing pay here, and does a signal find a good k? Four conditions and a few fixed k's, four seeds.
#
#   npx thawline sweep THIS_FILE --dry-run     what would be run, and about how long it takes
#   npx thawline sweep THIS_FILE               run it; the same command again finishes what is missing
#   npx thawline sweep status runs/NAME        the scores so far

base: ${base} # ${isFile ? "a configuration of yours" : "a preset"}; paths in this file are relative to this file

# set: # settings of every run
#   train.epochs: 2

conditions:
  standard: # everything trains from the first update: what the others are compared with
    set: { intervention.kind: none }
  head-then-full: # linear probing, then fine-tuning
    set: { intervention.kind: head_then_full, intervention.k: ${ks[1]} }
  fixed-k: # gradual unfreezing at intervals of your choice
    set: { intervention.kind: gradual_unfreezing }
    axes:
      intervention.k: [${ks.join(", ")}]
  online-fisher: # k decided in the run, when ${METRIC_TABLE.fisher_trace.label} stabilizes
    set: { intervention.kind: gradual_unfreezing, intervention.k: online, intervention.signal: fisher_trace }
  # Other signals: ${SIGNALS.filter((signal) => signal !== "fisher_trace").join(", ")}.

seeds: 4 # 0, 1, 2, 3

# evaluate_on: ood/mean # the score that decides
threads: 1 # CPU threads of a run; on two cores two runs of one thread are faster than one of two
`;
}
