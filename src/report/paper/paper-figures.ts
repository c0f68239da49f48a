import { signalKey } from "../../core/detector/signal.js";
import type { Metric } from "../../metrics.js";
import type { Figure, LineFigure } from "../figures/figure.js";
import { armsOf, type Arm } from "../tables/arms.js";
import { signalsFigure } from "../sweeps/curve-figures.js";
import { changeOverK } from "./change-over-k.js";
import { finalSignalFigures } from "./final-signals.js";
import { isAtRate, isOfText, paperArms, type PaperArm } from "./paper-arms.js";
import type { SweepFacts } from "../sweeps/sweep-facts.js";

/** One of the paper's figures: what of it these runs can draw, and what they lack for the rest. */
export interface PaperFigure {
  readonly number: number;
  readonly title: string;
  readonly figures: readonly Figure[];
  /** Empty where nothing is missing. */
  readonly lacks: readonly string[];
  /** Makes the runs that are lacking. */
  readonly command: string;
}

interface Recipe {
  readonly number: number;
  readonly title: string;
  readonly command: string;
  /** The panels: files are called after the figure's number and these. */
  readonly panels: (arms: readonly PaperArm[], facts: SweepFacts) => readonly Panel[];
}

interface Panel {
  readonly name: string;
  /** What is needed for it. */
  readonly needs: string;
  readonly figure: LineFigure | null;
}

const DECIDING: readonly Metric[] = ["fisher_trace", "sharpness_avg", "sharpness_worst"];

const RECIPES: readonly Recipe[] = [
  {
    number: 1,
    title: "Change in ID and OOD results over k, compared with standard training",
    command: "npx thawline sweep figure1 --scale small",
    panels: (arms, facts) => [
      {
        name: "change-over-k",
        needs:
          "finished runs with two fixed k's of gradual unfreezing or more, and of standard training with the same seeds",
        figure: changeOverK(facts, atFixedK(arms)),
      },
    ],
  },
  dynamics(2, "Learning dynamics at the paper's learning rate", "figure2", (one) => !isOfText(one) && isAtRate(one, 1)),
  switched(3, "Average sharpness over a switch of the learning rate", ["sharpness_avg"]),
  dynamics(4, "Learning dynamics of XLM-R on MNLI", "figure4", ({ experiment }) => experiment === "MNLI XLM-R", true),
  {
    number: 5,
    title: "Features and sharpness at the end of training, against OOD",
    command: "npx thawline sweep figure5 --scale small",
    panels: (arms, facts) => finalSignalFigures(facts, atFixedK(arms)),
  },
  {
    number: 6,
    title: "Learning dynamics with the determined k",
    command: "npx thawline sweep table2 --scale small",
    panels: (arms, facts) => signalPanels(facts, only(arms, "online"), DECIDING, "runs whose k it decided online"),
  },
  {
    number: 7,
    title: "Feature ranks before the classification head",
    command: "npx thawline sweep figure7 --scale small",
    panels: (arms, facts) => signalPanels(facts, atFixedK(arms), ["feature_rank"], BOTH),
  },
  switched(8, "Learning dynamics when the rate rises from a tenth", DECIDING, true),
  dynamics(
    9,
    "Learning dynamics of XLM-R on SQuAD",
    "figure4 --base squad-xlmr-lora",
    ({ experiment }) => experiment === "SQuAD XLM-R",
    true,
  ),
  dynamics(10, "Learning dynamics at a tenth of the rate", "figure2", (one) => !isOfText(one) && isAtRate(one, 0.1)),
];

const BOTH = "runs of standard training and with a fixed k";

/** Every figure of the paper, by number, of a sweep of one of its experiments; none of any other sweep. */
export function paperFigures(facts: SweepFacts): PaperFigure[] {
  const arms = paperArms(facts, armsOf(facts.sweep));
  if (arms.length === 0) return [];
  return RECIPES.map(({ number, title, command, panels }) => {
    const made = panels(arms, facts);
    const figures = made.flatMap(({ name, figure }) =>
      figure === null ? [] : [numbered(number, name, title, figure)],
    );
    const lacks = made.filter(({ figure }) => figure === null).map(({ needs }) => needs);
    return { number, title, figures, lacks: [...new Set(lacks)], command };
  });
}

function numbered(number: number, name: string, title: string, figure: LineFigure): LineFigure {
  return {
    ...figure,
    id: `paper-figure-${number}-${name}`,
    title: `Figure ${number}: ${figure.title}`,
    caption: [`counterpart of the paper's Figure ${number} (${title})`, ...figure.caption],
  };
}

function only(arms: readonly PaperArm[], ...hows: readonly PaperArm["how"][]): PaperArm[] {
  return arms.filter(({ how }) => hows.includes(how));
}

/** Standard training, and gradual unfreezing with a k that was chosen beforehand. */
export function atFixedK(arms: readonly PaperArm[]): PaperArm[] {
  return only(arms, "standard", "fixed k");
}

/** Signals in standard training and with fixed k's. */
function dynamics(
  number: number,
  title: string,
  sweep: string,
  isIn: (one: PaperArm) => boolean,
  isLogarithmic = false,
): Recipe {
  return {
    number,
    title,
    command: `npx thawline sweep ${sweep} --scale small${number === 10 ? " train.learning_rate=0.001" : ""}`,
    panels: (arms, facts) => signalPanels(facts, atFixedK(arms).filter(isIn), DECIDING, BOTH, isLogarithmic),
  };
}

/** Signals over a switch of the learning rate, beside standard training. */
function switched(number: number, title: string, metrics: readonly Metric[], rises = false): Recipe {
  const isWanted = ({ config: { intervention }, how }: PaperArm): boolean =>
    how === "standard" ||
    !rises ||
    (intervention.kind === "learning_rate_switch" && intervention.before < intervention.after);
  return {
    number,
    title,
    command: "npx thawline sweep figure3 --scale small --base mnist-resnet18",
    panels: (arms, facts) => {
      const chosen = only(arms, "standard", "switch").filter(isWanted);
      const isThere = chosen.some(({ how }) => how === "switch");
      return signalPanels(facts, isThere ? chosen : [], metrics, "runs with a switch of the learning rate");
    },
  };
}

/** A panel a metric, over all arms that measured it. A signal up to its decision alone is no learning dynamics. */
function signalPanels(
  facts: SweepFacts,
  chosen: readonly PaperArm[],
  metrics: readonly Metric[],
  who: string,
  isLogarithmic = false,
): Panel[] {
  const arms: Arm[] = chosen.map(({ arm }) => arm);
  const isWhole = chosen.some(({ how }) => how === "online" || how === "switch") || hasBoth(chosen);
  return metrics.map((metric) => {
    const drawn = isWhole ? signalsFigure(facts, arms, signalKey(metric)) : null;
    const needs = `${who} that measure \`${metric}\` (\`probe.until=end\` where nothing is decided)`;
    const figure = drawn === null || !isLogarithmic ? drawn : { ...drawn, y: { ...drawn.y, scale: "log" as const } };
    return { name: metric, needs, figure };
  });
}

function hasBoth(chosen: readonly PaperArm[]): boolean {
  return chosen.some(({ how }) => how === "standard") && chosen.some(({ how }) => how === "fixed k");
}
