import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/layers/load.js";
import { LANGUAGES } from "../../../src/config/schema/text-data.js";
import { outcomeOf } from "../outcome.js";

const squad = (...overrides: string[]) => outcomeOf("squad-xlmr-lora", ...overrides);
const SHA = "0a".repeat(20);

describe("checks of text", () => {
  it("accepts the presets", () => {
    for (const preset of ["xquad-small", "squad-xlmr-lora", "mnli-xlmr-lora"]) {
      expect(outcomeOf(preset)).toBe("accepted");
    }
  });

  it("wants an encoder for text, and images for a network", () => {
    expect(outcomeOf("quickstart", "data={kind: xquad_articles, path: ./xquad}", "evaluate.ood=null")).toContain(
      "`model.kind` is `resnet18`, but `data.kind` is `xquad_articles`, which is text; use `model.kind=encoder`",
    );
    const images = ["data={kind: mnist, path: bundled}", "evaluate.every=null", "evaluate.keep=last"];
    expect(outcomeOf("xquad-small", ...images)).toContain("`data.kind` is `mnist`, which is images");
  });

  it("wants a commit of a model on the Hub, and none of a folder", () => {
    expect(squad("model.pretrained=a/b", "model.revision=null")).toContain("`model.revision` is missing: `a/b`");
    expect(squad("model.pretrained=./b", `model.revision=${SHA}`)).toContain("`model.pretrained` names a folder");
    expect(squad("model.pretrained=./b", "model.revision=null")).toBe("accepted");
    expect(squad("model.pretrained=a/b", `model.revision=${SHA}`)).toBe("accepted");
  });

  it("wants scores where the best weights are to be kept, and a development set where there are scores", () => {
    expect(squad("evaluate.every=null", "evaluate.keep=best")).toContain("nobody knows which weights are the best");
    expect(squad("evaluate.every=null")).toBe("accepted");
    expect(outcomeOf("quickstart", "evaluate.every=10")).toContain(
      "has no effect: without `evaluate.development` there is no development set",
    );
    expect(outcomeOf("quickstart", "evaluate.keep=best")).toContain(
      "has no effect: without `evaluate.development` there is no development set",
    );
  });

  it("measures features only of what a classifier reads", () => {
    expect(squad("probe.metrics=[fisher_trace, feature_rank]")).toContain(
      "`probe.metrics` has `feature_rank`, which only models that classify have, but `data.kind` is `question_answering` / remove `feature_rank`",
    );
    expect(outcomeOf("xquad-small", "probe.metrics=[fisher_trace, feature_lambda_max]")).toContain("`xquad_articles`");
    expect(outcomeOf("mnli-xlmr-lora", "probe.metrics=[fisher_trace, feature_rank]")).toBe("accepted");
  });

  it("has no momentum for AdamW", () => {
    expect(squad("train.momentum=0.9")).toContain("`train.optimizer` is `adamw`, which has no momentum to set");
    expect(squad("train.momentum=0.9", "train.optimizer=sgd")).toBe("accepted");
  });

  it("takes a stride exactly where windows advance", () => {
    const length = fc.integer({ min: 16, max: 512 });
    fc.assert(
      fc.property(length, fc.integer({ min: 0, max: 600 }), (tokens, stride) => {
        const advances = stride < tokens;
        expect(squad(`data.max_length=${tokens}`, `data.stride=${stride}`) === "accepted").toBe(advances);
      }),
      { numRuns: 20 },
    );
  });
});

describe("test sets", () => {
  const tests = (...sets: string[]) => squad(`data.tests=[${sets.join(", ")}]`);

  it("have a name of their own", () => {
    expect(tests("{name: xquad, source: ./a}", "{name: xquad, source: ./b}")).toContain(
      "`data.tests` has the name `xquad` twice",
    );
  });

  it("know their languages by their name, or list them, each once", () => {
    for (const name of Object.keys(LANGUAGES)) expect(tests(`{name: ${name}, source: ./a}`)).toBe("accepted");
    expect(tests("{name: mine, source: ./a}")).toContain("the languages of the test set `mine` are missing");
    expect(tests("{name: mine, source: ./a, languages: [de]}")).toBe("accepted");
    expect(tests("{name: mine, source: ./a, languages: [de, de]}")).toContain("has a language twice");
  });

  it("have MLQA's scorer where they are MLQA, and SQuAD's where nothing is said", () => {
    const overrides = [
      "data.tests=[{name: xquad, source: ./a}, {name: mlqa, source: ./b}, {name: mine, source: ./c, languages: [de], scorer: mlqa}]",
    ];
    const { data } = loadConfig({ source: "squad-xlmr-lora", overrides, env: {}, cwd: "/" });
    expect(data).toMatchObject({ tests: [{ scorer: "squad" }, { scorer: "mlqa" }, { scorer: "mlqa" }] });
    expect(tests("{name: mlqa, source: ./b, scorer: squad}")).toBe("accepted");
  });

  it("are in languages that their scorer knows", () => {
    const refused = "MLQA's scorer does not know `ru`, a language of the test set";
    expect(tests("{name: mlqa, source: ./a, languages: [de, ru]}")).toContain(`${refused} \`mlqa\``);
    expect(tests("{name: xquad, source: ./a, languages: [ru], scorer: mlqa}")).toContain(`${refused} \`xquad\``);
    expect(tests("{name: xquad, source: ./a, languages: [ru]}")).toBe("accepted");
  });

  it("tell their languages apart on the Hub", () => {
    const hub = (config: string) => `{hub: a/b, revision: "${SHA}", config: ${config}, split: test}`;
    const set = (source: string, languages: string) =>
      tests(`{name: mine, source: ${source}, languages: ${languages}}`);
    expect(set(hub("all"), "[de, zh]")).toContain("has 2 languages, but its `config` has no `{language}` for them");
    expect(set(hub("all"), "[de]")).toBe("accepted");
    expect(set(hub('"x.{language}"'), "[de, zh]")).toBe("accepted");
  });
});
