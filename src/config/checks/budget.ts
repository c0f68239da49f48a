import type { ParsedConfig } from "../schema.js";
import type { Check } from "./check.js";
import type { Problem } from "./problems.js";

type SignalConfig = Pick<ParsedConfig, "intervention" | "probe">;

/** `probe.budget` is applied at the third measurement: where none comes after it, it has no effect. */
export const OF_BUDGET: Check<SignalConfig> = {
  find: ({ intervention, probe }) => {
    const { until, budget } = probe as { readonly until?: unknown; readonly budget?: number | null };
    const last = typeof until === "number" ? until : latestDecision({ intervention, probe });
    const path = typeof until === "number" ? ["probe", "until"] : ["intervention", "k_max"];
    return budget == null || last === null ? [] : tooLate({ intervention, probe }, last, path);
  },
  refuses: ["`probe.budget` where `probe.until` or `intervention.k_max` comes before the fourth measurement"],
};

export const OF_BUDGET_AND_LENGTH: Check = {
  find: ({ intervention, probe, train }) =>
    !("budget" in probe) || probe.budget == null || train.updates === null
      ? []
      : tooLate({ intervention, probe }, train.updates, ["train", "updates"]),
  refuses: ["`probe.budget` where training ends before the fourth measurement"],
};

/** The update in which k is decided at the latest, where nothing is measured after that. */
function latestDecision({ intervention, probe }: SignalConfig): number | null {
  const decides = "k_max" in intervention && "until" in probe && probe.until === "decision";
  return decides && intervention.k_max !== null ? firstUpdate({ intervention }) - 1 + intervention.k_max : null;
}

function firstUpdate({ intervention }: Pick<SignalConfig, "intervention">): number {
  return intervention.kind === "none" ? 1 : intervention.start;
}

function tooLate(config: SignalConfig, last: number, path: string[]): Problem[] {
  if (!("every" in config.probe)) return [];
  const { every } = config.probe;
  // With a point an update, the first of them is point 0 itself.
  const fourth = firstUpdate(config) - 1 + (every === 1 ? 4 : 3 * every);
  if (last >= fourth) return [];
  return [
    {
      paths: [["probe", "budget"], path, ["probe", "every"]],
      text: `\`probe.budget\` has no effect: it is applied at the third measurement, and with \`probe.every=${every}\` the fourth comes before update ${fourth}, but the last by update ${last} (\`${path.join(".")}\`)`,
      hint: "remove `probe.budget`, or measure more often or longer",
    },
  ];
}
