import { meanOf } from "../../statistics/moments.js";
import { pairedDifferences } from "../../statistics/paired.js";
import type { LineFigure, Point, Series } from "../figures/figure.js";
import { baselineOf, bySeed, describeAxes, K_AXIS, type Arm } from "../tables/arms.js";
import { decidingScore, scoreBeside, scoreHeading, unitOfScore } from "../tables/compared-score.js";
import type { PaperArm } from "./paper-arms.js";
import { missingWords } from "../sweeps/score-figures.js";
import type { SweepFacts } from "../sweeps/sweep-facts.js";

/** The paper's Figure 1: how ID and OOD results change with k, compared with standard training with the same seeds. */
export function changeOverK({ sweep }: SweepFacts, chosen: readonly PaperArm[]): LineFigure | null {
  const arms = chosen.map(({ arm }) => arm);
  const deciding = decidingScore(sweep, arms);
  if (deciding === null || unitOfScore(deciding) !== "share") return null;
  const scores = [scoreBeside(deciding, arms), deciding].filter((score) => score !== null);
  const fixed = chosen.flatMap(({ arm, config: { intervention } }) =>
    intervention.kind !== "none" && typeof intervention.k === "number" ? [{ arm, k: intervention.k }] : [],
  );
  const rates = [...new Set(fixed.map(({ arm }) => otherAxes(arm)))];
  const series = rates.flatMap((rate) =>
    scores.flatMap((score) =>
      curveOf(
        [scoreHeading(score), rate].filter((text) => text !== "").join(", "),
        fixed.filter(({ arm }) => otherAxes(arm) === rate),
        arms,
        score,
      ),
    ),
  );
  if (series.length === 0) return null;
  return {
    kind: "lines",
    id: "change-over-k",
    title: `Change of ${scores.map(scoreHeading).join(" and ")} over k`,
    caption: [
      "differences from standard training with the same seed; thick: the mean over seeds, thin: single seeds",
      ...missingWords(arms),
    ],
    x: { title: "k (updates)", column: "k", scale: "linear", format: "number" },
    y: { title: "change in points", column: "change", scale: "linear", format: "points" },
    series,
    rules: [{ axis: "y", at: 0, label: "standard", group: null, kind: "reference" }],
  };
}

/** Values of the axes but k: curves of different learning rates are not one. */
function otherAxes({ axes }: Arm): string {
  const { [K_AXIS]: _, ...others } = axes;
  return describeAxes(others);
}

function curveOf(
  group: string,
  fixed: readonly { readonly arm: Arm; readonly k: number }[],
  arms: readonly Arm[],
  score: string,
): Series[] {
  const at = fixed
    .flatMap(({ arm, k }) => {
      const baseline = baselineOf(arm, arms);
      const found = baseline === null ? [] : pairedDifferences(bySeed(arm, score), bySeed(baseline, score)).differences;
      return found.length === 0 ? [] : [{ k, found }];
    })
    .sort((a, b) => a.k - b.k);
  if (new Set(at.map(({ k }) => k)).size < 2) return [];
  const seeds = [...new Set(at.flatMap(({ found }) => found.map(({ seed }) => seed)))];
  const thin = seeds.map((seed): Series => {
    const points = at.flatMap(({ k, found }): Point[] =>
      found.filter((one) => one.seed === seed).map(({ difference }) => ({ x: k, y: difference })),
    );
    return { name: `${group}, seed ${seed}`, group, role: "seed", draws: "line", points };
  });
  const points = at.map(({ k, found }) => ({ x: k, y: meanOf(found.map(({ difference }) => difference))! }));
  const mean: Series = { name: group, group, role: "main", draws: "line", points };
  return seeds.length === 1 ? [mean] : [...thin, mean];
}
