import { isImageData } from "../data-sets.js";
import type { Check } from "./check.js";
import type { Problem } from "./problems.js";
import { isFolderName } from "../layers/folder-name.js";
import { METRICS, metricRow } from "../../metrics.js";
import type { ParsedConfig, Source } from "../schema.js";
import { LANGUAGES, scorerOf } from "../schema/text-data.js";

/** Settings of runs on text that contradict each other. */
export const OF_TEXT: readonly Check[] = [
  { find: modelAndData, refuses: ["`model.kind=encoder` with images, or another model with text"] },
  { find: pretrained, refuses: ["`model.revision` with a folder, or none with a model on the Hub"] },
  {
    find: metrics,
    refuses: [
      "a metric of features for question answering, whose model has no one feature vector per example: " +
        METRICS.filter((name) => metricRow(name)?.ofFeatures)
          .map((name) => `\`${name}\``)
          .join(", "),
    ],
  },
  { find: windows, refuses: ["`data.stride` of `data.max_length` or more"] },
  {
    find: testSets,
    refuses: [
      "in `data.tests`: a name twice, or a language twice",
      `in \`data.tests\`: no \`languages\` where the name is none of ${Object.keys(LANGUAGES)
        .map((name) => `\`${name}\``)
        .join(", ")}`,
      "in `data.tests`: a language that MLQA's scorer does not know, where that is the scorer",
      "in `data.tests`: several languages where the `config` on the Hub has no `{language}`",
    ],
  },
];

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
  const measured = "every" in probe ? probe.metrics : [];
  const metric = measured.find((name) => metricRow(name)?.ofFeatures);
  if (metric === undefined || (data.kind !== "question_answering" && data.kind !== "xquad_articles")) return [];
  const text = `\`probe.metrics\` has \`${metric}\`, which only models that classify have, but \`data.kind\` is \`${data.kind}\``;
  return [problem(["probe.metrics", "data.kind"], text, `remove \`${metric}\``)];
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
