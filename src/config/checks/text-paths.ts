import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import type { DataKind } from "../data-sets.js";
import { isFolderName } from "../layers/folder-name.js";
import type { Config, Source } from "../schema.js";

type TextData = Exclude<Config["data"], { kind: DataKind }>;

/** A model of the Hub is left to the worker, which may have it in its cache. */
export function checkPretrained(pretrained: string): void {
  if (!isFolderName(pretrained)) return;
  const missing = existsSync(pretrained)
    ? existsSync(join(pretrained, "config.json"))
      ? null
      : "has no `config.json`"
    : "does not exist";
  if (missing === null) return;
  throw new UserError({
    code: "missing_model",
    message: `\`model.pretrained\` names \`${pretrained}\`, which ${missing}`,
    hint:
      "`.venv/bin/python scripts/prepare-encoder.py` makes `./models/multilingual-e5-small`; or name another " +
      "folder, or a model of the Hub with its `model.revision`",
  });
}

/** What a folder of published files holds, and whether it is whole, the worker sees: there are many forms. */
export function checkText(data: TextData): void {
  if (data.kind === "xquad_articles") {
    checkXquad(data);
    return;
  }
  checkSource("data.train", data.train, ["en"]);
  checkSource("data.development", data.development, ["en"]);
  for (const { name, source, languages } of data.tests) checkSource(`data.tests (${name})`, source, languages);
}

function checkXquad({ path, languages }: Extract<TextData, { kind: "xquad_articles" }>): void {
  const files = ["en", ...languages.filter((language) => language !== "en")].map(
    (language) => `xquad.${language}.json`,
  );
  const missing = files.filter((file) => !existsSync(join(path, file)));
  if (missing.length === 0) return;
  const message = existsSync(path)
    ? `\`${path}\` lacks ${missing.map((file) => `\`${file}\``).join(", ")}`
    : `\`data.path\` names \`${path}\`, which does not exist`;
  throw new UserError({
    code: "missing_data",
    message,
    hint: "get it by `git clone https://github.com/google-deepmind/xquad`, and set `data.path` to that folder",
  });
}

function checkSource(key: string, source: Source, languages: readonly string[]): void {
  if (typeof source !== "string") return;
  const missing = languages
    .map((language) => source.replaceAll("{language}", language))
    .find((path) => !existsSync(path));
  if (missing === undefined) return;
  throw new UserError({
    code: "missing_data",
    message: `\`${key}\` names \`${missing}\`, which does not exist`,
    hint: "set it to a file or folder as published, or to a split on the Hub: `{hub: ..., revision: ..., split: ...}`",
  });
}
