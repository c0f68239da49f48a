import { developmentSignal, isMeasuredName, recordedNameOf } from "../../metrics.js";
import type { Check } from "./check.js";
import type { SignalConfig } from "./conflicts.js";
import type { ParsedConfig } from "../schema.js";
import type { Problem } from "./problems.js";

const SIGNAL = ["intervention", "signal"];
const RULE = ["intervention", "rule"];

/** Which rule goes with which signal: what each of them needs, the other kind of signal does not have. */
export const OF_RECORDED: Check<SignalConfig> = {
  find: recordedSignal,
  refuses: [
    "`intervention.signal` is `recorded:` and the name of a metric that thawline measures itself",
    "`intervention.rule=plateau` for a signal that is measured",
    "`intervention.rule=stabilization` for a signal that is recorded",
  ],
};

function recordedSignal({ intervention }: SignalConfig): Problem[] {
  if (!("signal" in intervention)) return [];
  const { signal } = intervention;
  if (!("mode" in intervention)) {
    if (intervention.rule !== "plateau") return [];
    const text = `\`intervention.rule\` is \`plateau\`, which has to know which values are better: of \`${signal}\` none are`;
    return [{ paths: [RULE, SIGNAL], text, hint: "leave `intervention.rule` out, or set `signal` to `recorded:NAME`" }];
  }
  const name = recordedNameOf(intervention.signal);
  const problems: Problem[] = [];
  if (isMeasuredName(name)) {
    const text = `\`intervention.signal\` is \`${signal}\`, but \`${name}\` is measured, and no script may record under its name`;
    const hint = `write \`intervention.signal=${name}\` for what is measured, or record under another name`;
    problems.push({ paths: [SIGNAL], text, hint });
  }
  if (intervention.rule === "stabilization") {
    const text = `\`intervention.rule\` is \`stabilization\`, which needs the error of every change: of \`${signal}\` it is not known`;
    problems.push({ paths: [RULE, SIGNAL], text, hint: "set `intervention.rule=plateau`, or leave it out" });
  }
  return problems;
}

/** A built-in training records the scores on its development set, and nothing else. */
export const OF_DEVELOPMENT: Check = {
  find: developmentScores,
  refuses: [
    "a recorded signal that a built-in training does not record: it has the scores on its development set alone",
    "`intervention.mode=min` for such a score",
  ],
};

function developmentScores({ intervention, data, evaluate }: ParsedConfig): Problem[] {
  if (!("mode" in intervention)) return [];
  const { signal } = intervention;
  const scores = "augment" in data ? [] : data.kind === "sentence_pairs" ? ["accuracy"] : ["f1", "exact_match"];
  const known = scores.map((score) => `recorded:${developmentSignal(score)}`);
  const has = `\`intervention.signal\` is \`${signal}\`, which a training of \`data.kind=${data.kind}\` does not record`;
  if (known.length === 0) {
    const hint = "choose a signal that is measured, or record it in a script of your own under `npx thawline attach`";
    return [{ paths: [SIGNAL], text: `${has}: it has no development set`, hint }];
  }
  if (!known.includes(signal)) {
    return [{ paths: [SIGNAL], text: has, hint: `it records ${known.map((name) => `\`${name}\``).join(", ")}` }];
  }
  const problems: Problem[] = [];
  if (evaluate.every == null) {
    const text = `\`intervention.signal\` is \`${signal}\`, but without \`evaluate.every\` the development set is not scored`;
    problems.push({ paths: [SIGNAL, ["evaluate", "every"]], text, hint: "set `evaluate.every`, for example to 100" });
  }
  if (intervention.mode === "min") {
    const text = `\`intervention.mode\` is \`min\`, but of \`${signal}\` higher values are better`;
    problems.push({ paths: [["intervention", "mode"], SIGNAL], text, hint: "set `intervention.mode=max`" });
  }
  return problems;
}
