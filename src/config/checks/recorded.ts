import { developmentSignal, isMeasuredName, recordedNameOf, VALIDATION_LOSS } from "../../metrics.js";
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

/** A built-in training records the scores on its development set and the loss there, and nothing else. */
export const OF_DEVELOPMENT: Check = {
  find: developmentScores,
  refuses: [
    "a recorded signal that a built-in training does not record: it has scores and loss on its development set alone",
    "`recorded:validation_loss` and the like without a development set, or without `evaluate.every`",
    "`intervention.mode=min` for a score, `intervention.mode=max` for the loss",
  ],
};

function developmentScores({ intervention, data, evaluate }: ParsedConfig): Problem[] {
  if (!("mode" in intervention)) return [];
  const { signal, mode } = intervention;
  const isOfImages = "augment" in data;
  const scores = isOfImages || data.kind === "sentence_pairs" ? ["accuracy"] : ["f1", "exact_match"];
  const loss = `recorded:${VALIDATION_LOSS}`;
  const known = [loss, ...scores.map((score) => `recorded:${developmentSignal(score)}`)];
  if (!known.includes(signal)) {
    const text = `\`intervention.signal\` is \`${signal}\`, which a training of \`data.kind=${data.kind}\` does not record`;
    return [{ paths: [SIGNAL], text, hint: `it records ${known.map((name) => `\`${name}\``).join(", ")}` }];
  }
  const problems: Problem[] = [];
  if (isOfImages && evaluate.development == null) {
    const text = `\`intervention.signal\` is \`${signal}\`, but without \`evaluate.development\` there is no development set`;
    const hint = "set `evaluate.development`, for example to 1000 images, and `evaluate.every`, for example to 100";
    problems.push({ paths: [SIGNAL, ["evaluate", "development"]], text, hint });
  } else if (evaluate.every == null) {
    const text = `\`intervention.signal\` is \`${signal}\`, but without \`evaluate.every\` the development set is not scored`;
    problems.push({ paths: [SIGNAL, ["evaluate", "every"]], text, hint: "set `evaluate.every`, for example to 100" });
  }
  const better = signal === loss ? "min" : "max";
  if (mode !== better) {
    const text = `\`intervention.mode\` is \`${mode}\`, but of \`${signal}\` ${better === "max" ? "higher" : "lower"} values are better`;
    problems.push({ paths: [["intervention", "mode"], SIGNAL], text, hint: `set \`intervention.mode=${better}\`` });
  }
  return problems;
}
