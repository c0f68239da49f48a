import { isImageData } from "./data-sets.js";
import type { Problem } from "./problems.js";
import { isFolderName } from "./relative-paths.js";
import type { ParsedConfig, Source } from "./schema.js";
import { LANGUAGES, scorerOf } from "./schema/text-data.js";

const FEATURE_METRICS = ["feature_lambda_max", "feature_rank"] as const;

/** Settings of runs on text that contradict each other, and those of one kind of run that the other would ignore. */
export function findTextConflicts(config: ParsedConfig): readonly Problem[] {
  return [
    ...modelAndData(config),
    ...pretrained(config),
    ...metrics(config),
    ...validation(config),
    ...optimizer(config),
    ...windows(config),
    ...testSets(config),
  ];
}

function problem(keys: readonly string[], text: string, hint: string): Problem {
  return { paths: keys.map((key) => key.split(".")), text, hint };
}

function modelAndData({ model, data }: ParsedConfig): Problem[] {
  const [encodes, isText] = [model.kind === "encoder", !isImageData(data)];
  if (encodes === isText) return [];
  const of = isText ? "text" : "images";
  return [
    problem(
      ["model.kind", "data.kind"],
      `\`model.kind\` is \`${model.kind}\`, but \`data.kind\` is \`${data.kind}\`, which is ${of}`,
      isText ? "use `model.kind=encoder`" : "use data of text, such as `data.kind=xquad_articles`",
    ),
  ];
}

function pretrained({ model }: ParsedConfig): Problem[] {
  if (model.kind !== "encoder" || !("pretrained" in model)) return [];
  const keys = ["model.revision", "model.pretrained"];
  const isFolder = isFolderName(model.pretrained);
  if (isFolder && model.revision !== null) {
    return [problem(keys, "`model.revision` is given, but `model.pretrained` names a folder", "remove it")];
  }
  if (!isFolder && model.revision === null) {
    const text = `\`model.revision\` is missing: \`${model.pretrained}\` is a model on the Hub, whose content may change`;
    const hint = "give the 40 hex digits of one of its commits, or write a folder as `./folder`";
    return [problem([...keys].reverse(), text, hint)];
  }
  return [];
}

/** They are of the one vector that a classifier reads; answers are found in every token's. */
function metrics({ data, probe }: ParsedConfig): Problem[] {
  const metric = FEATURE_METRICS.find((name) => probe.metrics.includes(name));
  if (metric === undefined || (data.kind !== "question_answering" && data.kind !== "xquad_articles")) return [];
  const text = `\`probe.metrics\` has \`${metric}\`, which only models that classify have, but \`data.kind\` is \`${data.kind}\``;
  return [problem(["probe.metrics", "data.kind"], text, `remove \`${metric}\``)];
}

function validation({ data, evaluate }: ParsedConfig): Problem[] {
  if (isImageData(data)) {
    const without = `\`${data.kind}\` has no development set`;
    if (evaluate.every !== null) {
      return [problem(["evaluate.every"], `\`evaluate.every\` is given, but ${without}`, "remove it")];
    }
    if (evaluate.keep === "best") {
      const text = `\`evaluate.keep\` is \`best\`, but ${without} to choose by`;
      return [problem(["evaluate.keep"], text, "set `evaluate.keep=last`")];
    }
  }
  if (evaluate.keep === "best" && evaluate.every === null) {
    const text = "`evaluate.keep` is `best`, but without `evaluate.every` nobody knows which weights are the best";
    return [problem(["evaluate.keep", "evaluate.every"], text, "set it, for example `evaluate.every=500`")];
  }
  return [];
}

function optimizer({ train }: ParsedConfig): Problem[] {
  if (train.optimizer !== "adamw" || train.momentum === 0) return [];
  const text = `\`train.momentum\` is ${train.momentum}, but \`adamw\` has none to set`;
  return [problem(["train.momentum", "train.optimizer"], text, "remove `train.momentum`")];
}

function windows({ data }: ParsedConfig): Problem[] {
  if (!("stride" in data) || data.stride < data.max_length) return [];
  const text = `\`data.stride\` is ${data.stride}, so windows of \`data.max_length\` ${data.max_length} would never advance`;
  return [problem(["data.stride", "data.max_length"], text, "set `data.stride` to at most a half of it")];
}

function testSets({ data }: ParsedConfig): Problem[] {
  if (!("tests" in data)) return [];
  const names = data.tests.map((test) => test.name);
  return data.tests.flatMap((test, index) => {
    const at = (key: string, text: string, hint: string): Problem[] => [
      { paths: [["data", "tests", index, key]], text, hint },
    ];
    if (names.indexOf(test.name) !== index) {
      return at("name", `\`data.tests\` has the name \`${test.name}\` twice`, "rename one of them");
    }
    const languages = test.languages ?? LANGUAGES[test.name];
    if (languages === undefined) {
      const text = `the languages of the test set \`${test.name}\` are missing`;
      return at("languages", text, `list them, or call it ${Object.keys(LANGUAGES).join(", ")}`);
    }
    if (new Set(languages).size !== languages.length) {
      return at("languages", `the test set \`${test.name}\` has a language twice`, "name each of them once");
    }
    const unscored = "scorer" in test && scorerOf(test) === "mlqa" ? languages.find(isUnknownToMlqa) : undefined;
    if (unscored !== undefined) {
      const text = `MLQA's scorer does not know \`${unscored}\`, a language of the test set \`${test.name}\``;
      return at("languages", text, "leave it out, or set `scorer: squad`");
    }
    if (languages.length > 1 && !distinguishesLanguages(test.source)) {
      const text = `the test set \`${test.name}\` has ${languages.length} languages, but its \`config\` has no \`{language}\` for them`;
      return at("source", text, "write it like `xquad.{language}`");
    }
    return [];
  });
}

/** Its data are in all of the languages that its scorer has articles for. */
function isUnknownToMlqa(language: string): boolean {
  return !LANGUAGES["mlqa"]!.includes(language);
}

/** What a folder or a table holds, the worker sees. */
function distinguishesLanguages(source: Source): boolean {
  return typeof source === "string" || source.config?.includes("{language}") === true;
}
