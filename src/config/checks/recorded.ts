import { isMeasuredName, recordedNameOf } from "../../metrics.js";
import type { Check } from "./check.js";
import type { SignalConfig } from "./conflicts.js";
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
