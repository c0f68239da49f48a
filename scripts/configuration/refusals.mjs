// The combinations that are refused, in docs/configuration.md: what the checks say of themselves, and which keys the
// forms of a configuration do not have.
import { CHECKS } from "../../dist/config/checks/conflicts.js";
import { DATA_KINDS } from "../../dist/config/data-sets.js";
import { formsOf } from "../../dist/config/forms.js";
import { merge } from "../../dist/config/layers/layers.js";
import { formsIn } from "../../dist/config/schema-walk.js";
import { configInputSchema } from "../../dist/config/schema.js";
import { INTERVENTION_KINDS } from "../../dist/config/schema/intervention.js";
import { quoted, wrapped } from "./text.mjs";

export function refusedCombinations() {
  return CHECKS.flatMap(({ refuses }) => refuses)
    .map((phrase, index, all) => wrapped(`- ${phrase}${index === all.length - 1 ? "." : ";"}`))
    .join("\n");
}

/** Values of the keys that take others their effect. Which keys the metrics take it is in the table of metrics. */
const DECIDING = {
  "data.kind": [...DATA_KINDS, "question_answering"],
  "train.optimizer": ["adamw"],
  "model.kind": ["vgg11", "encoder"],
  "model.batch_norm": [false],
  "intervention.kind": INTERVENTION_KINDS,
  "intervention.k": [40],
  "probe.metrics": [[], ["sharpness_worst"]],
  "probe.search": ["sphere", "apgd"],
  "probe.until": ["end"],
  "evaluate.ood": ["mnist_c", "cifar_c", "none"],
  "evaluate.ood_path": ["./published"],
  "intervention.signal": ["fisher_trace", "recorded:NAME"],
  "evaluate.development": [1000],
  "evaluate.every": [100],
  "device.threads": [1],
  "supervision.max_restarts": [0],
};

/** A line for each reason: the keys that have no effect, and why. */
export function keysWithoutEffect() {
  const lines = new Map();
  for (const { keys, text, value } of reasons()) {
    const general = text.replace(`\`${value}\``, "*").replace(`=${value}\``, "=*`");
    const id = `${general} ${keys}`;
    const line = lines.get(id) ?? { keys, general, values: [] };
    lines.set(id, { ...line, values: [...new Set([...line.values, value])] });
  }
  return [...lines.values()]
    .map(({ keys, general, values }) => wrapped(`- ${sentence(general, values)}: ${keys}`))
    .join("\n");
}

function sentence(general, values) {
  return general.includes("=*`")
    ? general.replace("=*`", `\` ${quoted(values)}`)
    : general.replace("*", quoted(values));
}

/** Every reason that comes up where up to two of the deciding keys have other values than their defaults. */
function reasons() {
  const found = new Map();
  for (const settings of cases()) {
    for (const { section, schema, why } of formsOf(settings)) {
      for (const key of keysOf(section).filter((name) => !Object.hasOwn(schema.shape, name))) {
        const { by, text } = why(key);
        unforeseen(by);
        const value = by.map(([at, name]) => settings[at]?.[name]).find((word) => text.includes(String(word)));
        const reason = found.get(text) ?? { section, keys: new Set(), text, value: String(value) };
        reason.keys.add(`${section}.${key}`);
        found.set(text, reason);
      }
    }
  }
  const sections = Object.keys(configInputSchema.shape);
  const inOrder = [...found.values()].sort(
    (one, other) => sections.indexOf(one.section) - sections.indexOf(other.section),
  );
  return inOrder.map(({ keys, ...rest }) => ({ ...rest, keys: named(keys) }));
}

function cases() {
  const settings = Object.entries(DECIDING).flatMap(([path, values]) => values.map((value) => at(path, value)));
  const pairs = settings.flatMap((one) => settings.map((other) => merge(one, other, [])));
  return pairs.map((pair) => merge({ data: { kind: "mnist" }, model: { kind: "resnet18" } }, pair, []));
}

function at(path, value) {
  const [section, key] = path.split(".");
  return { [section]: { [key]: value } };
}

function unforeseen(by) {
  const missing = by.map((path) => path.join(".")).filter((key) => DECIDING[key] === undefined);
  if (missing.length > 0)
    throw new Error(`scripts/configuration/refusals.mjs tries no values of ${missing.join(", ")}`);
}

/** Every key that a section has in some form. */
function keysOf(section) {
  const forms = formsIn(configInputSchema.shape[section]);
  return [...new Set(forms.flatMap((form) => Object.keys(form.shape ?? {})))];
}

/** Where nearly all keys of a section are meant, those that are not are named. */
function named(keys) {
  const sections = [...new Set([...keys].map((key) => key.split(".")[0]))];
  return sections.flatMap((section) => {
    const [all, isMeant] = [keysOf(section).map((key) => `${section}.${key}`), (key) => keys.has(key)];
    const rest = all.filter((key) => !isMeant(key));
    return rest.length === 1 ? `all of \`${section}\` but \`${rest[0]}\`` : quoted(all.filter(isMeant));
  });
}
