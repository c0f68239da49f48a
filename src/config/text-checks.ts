import { isImageData } from "./data-sets.js";
import type { Problem } from "./problems.js";
import { isFolderName } from "./relative-paths.js";
import type { ParsedConfig, Source } from "./schema.js";
import { LANGUAGES } from "./schema/text-data.js";

/** Settings of runs on text that contradict each other, and those of one kind of run that the other would ignore. */
export function findTextConflicts(config: ParsedConfig): readonly Problem[] {
  return [
    ...modelAndData(config),
    ...pretrained(config),
    ...validation(config),
    ...optimizer(config),
    ...windows(config),
    ...testSets(config),
  ];
}

function problem(keys: readonly string[], text: string, hint: string): Problem {
  return { paths: keys.map((key) => key.split(".")), text, hint };
}

function modelAndData({ model, data, intervention }: ParsedConfig): Problem[] {
  const [encodes, isText] = [model.kind === "encoder", !isImageData(data)];
  const conflicts: Problem[] = [];
  if (encodes !== isText) {
    const of = isText ? "text" : "images";
    conflicts.push(
      problem(
        ["model.kind", "data.kind"],
        `\`model.kind\` is \`${model.kind}\`, but \`data.kind\` is \`${data.kind}\`, which is ${of}`,
        isText ? "use `model.kind=encoder`" : "use data of text, such as `data.kind=xquad_articles`",
      ),
    );
  }
  if (encodes && intervention.frozen_batch_norm !== "track") {
    const text = "`intervention.frozen_batch_norm` is given, but an encoder has no BatchNorm";
    conflicts.push(problem(["intervention.frozen_batch_norm"], text, "remove it"));
  }
  return conflicts;
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

function validation({ data, evaluate }: ParsedConfig): Problem[] {
  if (isImageData(data) && evaluate.every !== null) {
    const text = `\`evaluate.every\` is given, but \`${data.kind}\` has no development set`;
    return [problem(["evaluate.every"], text, "remove it")];
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
    if (languages.length > 1 && !distinguishesLanguages(test.source)) {
      const text = `the test set \`${test.name}\` has ${languages.length} languages, but its \`config\` has no \`{language}\` for them`;
      return at("source", text, "write it like `xquad.{language}`");
    }
    return [];
  });
}

/** What a folder or a table holds, the worker sees. */
function distinguishesLanguages(source: Source): boolean {
  return typeof source === "string" || source.config?.includes("{language}") === true;
}
