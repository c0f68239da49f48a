import { describe, expect, it } from "vitest";
import { outcomeOf } from "./outcome.js";

const UNFREEZING = ["order=bottom_up", "first_unfreeze=paper41", "unfreeze=all_at_once", "frozen_batch_norm=hold"];
const SWITCH = ["before=0.5", "after=0.1"];

describe("a setting that the chosen intervention would ignore", () => {
  const kinds = ["gradual_unfreezing", "learning_rate_switch", "none"];
  const cases = [...UNFREEZING, ...SWITCH].flatMap((setting) => kinds.map((kind) => [kind, setting] as const));

  it.each(cases)("with %s: %s", (kind, setting) => {
    const [key, value] = setting.split("=");
    const user = UNFREEZING.includes(setting) ? "gradual_unfreezing" : "learning_rate_switch";
    const outcome = outcomeOf("quickstart", `intervention.kind=${kind}`, `intervention.${setting}`);
    const refusal =
      `\`intervention.${key}\` is \`${value}\`, which only \`intervention.kind=${user}\` uses ` +
      `/ remove it, or set \`intervention.kind=${user}\``;
    if (kind === user) expect(outcome).toBe("accepted");
    else expect(outcome).toContain(refusal);
  });

  it("may be written out with what it is anyway", () => {
    expect(outcomeOf("quickstart", "intervention.kind=none", "intervention.order=top_down")).toBe("accepted");
  });
});

describe("the treatment of frozen BatchNorm layers", () => {
  it.each(["hold", "calibrate"])("%s is refused where there are none", (value) => {
    const setting = `intervention.frozen_batch_norm=${value}`;
    expect(outcomeOf("squad-xlmr-lora", setting)).toContain("an encoder has no BatchNorm / remove it");
    expect(outcomeOf("cifar10-vgg11", "data.path=./x", setting)).toContain(
      "`vgg11` has no BatchNorm without `model.batch_norm=true` / remove it",
    );
    expect(outcomeOf("cifar10-vgg11", "data.path=./x", "model.batch_norm=true", setting)).toBe("accepted");
    expect(outcomeOf("cifar10-resnet18", "data.path=./x", setting)).toBe("accepted");
  });
});
