import { randomStream } from "../../src/statistics/philox.js";
import type { Sweep, SweptRun } from "../../src/sweep/swept-run.js";
import { recordedSweep, runWith, withOod } from "./recorded-sweep.js";

/**
 * A sweep with ten tried k's, as Table 2 of the paper needs it: made of a real run, with invented OOD accuracies. Of the
 * runs whose k tr(F) decides that of seed 5 ends by the cap, and one run with a tried k has failed.
 */
export function triedKSweep(seeds = 7, changes: Partial<Sweep> = {}): Sweep {
  const real = recordedSweep("mnist-width8").runs;
  const of = (condition: string): SweptRun => real.find((run) => run.condition === condition && run.seed === 0)!;
  const { below } = randomStream(19);
  const ood = (): number => (6000 + below(1500)) / 10000;
  const runs = Array.from({ length: seeds }, (_, seed): SweptRun[] => {
    const named = (condition: string, rest: Partial<SweptRun> = {}) => ({
      id: `${condition}-seed${seed}-${Object.values(rest.axes ?? {}).join("-")}`,
      condition,
      seed,
      ...rest,
    });
    const found = of("online-fisher-trace");
    const k = { ...found.results!.k!, source: seed === 5 ? ("cap" as const) : ("online" as const) };
    const tried = TRIED.map((value) => {
      const run = withOod(of("fixed-210"), named("random", { axes: { "intervention.k": value } }), ood());
      return runWith(run, {}, { k: { ...run.results!.k!, value } });
    });
    return [
      withOod(of("standard"), named("standard"), ood()),
      runWith(withOod(found, named("online"), ood() - 0.04), {}, { k }),
      ...tried.map((run, index): SweptRun =>
        seed === 1 && index === 3
          ? { ...run, standing: "failed", results: null, failure: "the loss is not finite at update 17" }
          : run,
      ),
    ];
  });
  return {
    ...recordedSweep("mnist-width8"),
    name: "tried-k",
    conditions: ["standard", "random", "online"],
    runs: runs.flat(),
    ...changes,
  };
}

const TRIED = [37, 90, 112, 181, 240, 305, 333, 460, 611, 774];
