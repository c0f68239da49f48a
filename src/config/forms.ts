import { z } from "zod";
import { DATA_SETS, isImageKind } from "./data-sets.js";
import { valueAt, type Path, type Settings } from "./layers/layers.js";
import { isRecorded, METRIC_TABLE, METRICS, type Metric } from "../metrics.js";
import { imageDataForm } from "./schema/data.js";
import { deviceForm } from "./schema/device.js";
import { imageEvaluationForm, OOD_SETS, textEvaluationForm, type OodSet } from "./schema/evaluate.js";
import { DEFAULT_KIND, INTERVENTION_KINDS, interventionForm, type InterventionKind } from "./schema/intervention.js";
import { nothingForm, probe, probeForm, searchOf, unmeasuredForm } from "./schema/probe.js";
import { supervision, supervisionForm } from "./schema/supervision.js";
import { trainForm } from "./schema/train.js";

/**
 * Some keys decide which others have an effect. Of the sections of which that is true, this says which form fits a
 * configuration: its schema has exactly the keys that have an effect in it.
 */

/** What takes a key its effect. */
export interface Cause {
  /** The keys whose values decide it. */
  readonly by: readonly Path[];
  /** To be put after "has no effect: ". */
  readonly text: string;
}

/** A section as it is in one configuration. */
export interface Form {
  readonly section: string;
  readonly schema: z.ZodObject;
  /** Why a key that the section has in other configurations has no effect in this one. */
  readonly why: (key: string) => Cause;
}

/** Settings whose values are not looked at yet: a value of a wrong type fits no form, and the schema says so. */
export function formsOf(settings: Settings): Form[] {
  const found = [
    dataForm(settings),
    optimizerForm(settings),
    measuringForm(settings, probe.shape),
    decisionForm(settings, networkWithoutBatchNorm(settings)),
    evaluationForm(settings),
    threadsForm(settings),
    restartsForm(settings, supervision),
  ];
  return found.filter((form) => form !== null);
}

const at = (settings: Settings, key: string): unknown => valueAt(settings, key.split("."));
const path = (key: string): Path => key.split(".");
const cause = (text: string, ...keys: string[]): Cause => ({ by: keys.map(path), text });

function dataForm(settings: Settings): Form | null {
  const kind = at(settings, "data.kind");
  if (!isImageKind(kind)) return null;
  const why = (key: string): Cause => {
    if (key === "verify_checksums") return cause(`no checksums are published for \`data.kind=${kind}\``, "data.kind");
    if (key === "classes" || key === "max_train_per_class")
      return cause("only a folder of images has classes to choose from", "data.kind");
    return cause(`\`data.kind=${kind}\` is of images`, "data.kind");
  };
  return { section: "data", schema: imageDataForm(kind), why };
}

function optimizerForm(settings: Settings): Form {
  const why = cause("`train.optimizer` is `adamw`, which has no momentum to set", "train.optimizer");
  return { section: "train", schema: trainForm(at(settings, "train.optimizer")), why: () => why };
}

const kindOf = (settings: Settings): unknown => at(settings, "intervention.kind") ?? DEFAULT_KIND;

/** Whether k is found by the online rule. */
function isOnline(settings: Settings): boolean {
  return kindOf(settings) !== "none" && (at(settings, "intervention.k") ?? "online") === "online";
}

/** The name of the recorded signal by which k is found; null where it is not. */
function recordedSignal(settings: Settings): string | null {
  const signal = at(settings, "intervention.signal");
  return isOnline(settings) && typeof signal === "string" && isRecorded(signal) ? signal : null;
}

/** Why this network has no BatchNorm that could be frozen, or null. Only their owners know models of a user's own. */
export function networkWithoutBatchNorm(settings: Settings): Cause | null {
  switch (at(settings, "model.kind")) {
    case "encoder":
      return cause("an encoder has no BatchNorm", "model.kind");
    case "vgg11":
      return at(settings, "model.batch_norm") === true
        ? null
        : cause("`vgg11` has no BatchNorm without `model.batch_norm=true`", "model.kind", "model.batch_norm");
    default:
      return null;
  }
}

/** @param withoutBatchNorm why nothing can be said about BatchNorm, or null */
export function decisionForm(settings: Settings, withoutBatchNorm: Cause | null): Form | null {
  const kind = kindOf(settings);
  if (!isInterventionKind(kind)) return null;
  const online = isOnline(settings);
  const recorded = recordedSignal(settings) !== null;
  const whole = interventionForm(kind, !online ? "fixed" : recorded ? "recorded" : "measured");
  const drops = withoutBatchNorm !== null && "frozen_batch_norm" in whole.shape;
  const why = (key: string): Cause => {
    if (drops && key === "frozen_batch_norm") return withoutBatchNorm;
    if (key === "mode" && online && kind !== "none") {
      const named = at(settings, "intervention.signal");
      const signal = typeof named === "string" ? named : "fisher_trace";
      return cause(
        `\`intervention.signal\` is \`${signal}\`, of which no value is the better one`,
        "intervention.signal",
      );
    }
    if (kind === "none" || !(key in interventionForm(kind, online ? "fixed" : "recorded").shape)) {
      return cause(`\`intervention.kind\` is \`${kind}\``, "intervention.kind");
    }
    return cause(`\`intervention.k\` is ${String(at(settings, "intervention.k"))}`, "intervention.k");
  };
  return { section: "intervention", schema: drops ? whole.omit({ frozen_batch_norm: true }) : whole, why };
}

/** @param keys those that this kind of configuration may have: a script brings its own points */
export function measuringForm(settings: Settings, keys: z.ZodRawShape): Form | null {
  const byDefault = recordedSignal(settings) === null ? probe.shape.metrics.def.defaultValue : [];
  const metrics = at(settings, "probe.metrics") ?? byDefault;
  const until = at(settings, "probe.until") ?? probe.shape.until.def.defaultValue;
  if (!areMetrics(metrics)) return null;
  const [schema, why] = formOfProbe(settings, metrics, until);
  const own = Object.fromEntries(Object.entries(schema.shape).filter(([key]) => key in keys)) as z.ZodRawShape;
  return { section: "probe", schema: z.strictObject(own), why };
}

function formOfProbe(settings: Settings, metrics: readonly Metric[], until: unknown): [z.ZodObject, Form["why"]] {
  if (until === "decision" && !isOnline(settings)) {
    const [key, because] =
      kindOf(settings) === "none"
        ? ["intervention.kind", "`intervention.kind` is `none`"]
        : ["intervention.k", `\`intervention.k\` is ${String(at(settings, "intervention.k"))}`];
    const text = `${because}, and \`probe.until\` is \`decision\`: nothing is measured (\`probe.until=end\` measures)`;
    return [unmeasuredForm, () => cause(text, key, "probe.until")];
  }
  if (metrics.length === 0) {
    const recorded = at(settings, "probe.metrics") === undefined ? recordedSignal(settings) : null;
    if (recorded === null) return [nothingForm, () => cause("`probe.metrics` is empty", "probe.metrics")];
    const text = `\`intervention.signal\` is \`${recorded}\`, and \`probe.metrics\` names nothing to measure beside it`;
    return [nothingForm, () => cause(text, "intervention.signal")];
  }
  const named = metrics.map((metric) => `\`${metric}\``).join(", ");
  const given = at(settings, "probe.search");
  const search = typeof given === "string" ? given : probe.shape.search.def.defaultValue;
  const why = (key: string): Cause =>
    searchOf(key) !== null && metrics.some((metric) => optionsOf(metric).includes(key))
      ? cause(`\`probe.search\` is \`${search}\`, and only \`${searchOf(key)}\` has it`, "probe.search")
      : cause(`\`probe.metrics\` measures ${named} only`, "probe.metrics");
  return [probeForm(metrics, search), why];
}

const optionsOf = (metric: Metric): readonly string[] => METRIC_TABLE[metric].options;

function evaluationForm(settings: Settings): Form | null {
  const kind = at(settings, "data.kind");
  const isValidated = (at(settings, "evaluate.every") ?? null) !== null;
  if (isImageKind(kind)) {
    const ood = at(settings, "evaluate.ood") ?? DATA_SETS[kind].ood;
    if (!isOodSet(ood)) return null;
    const isPublished = (at(settings, "evaluate.ood_path") ?? null) !== null;
    const hasDevelopment = (at(settings, "evaluate.development") ?? null) !== null;
    const canBePublished = kind !== "image_folder";
    const schema = imageEvaluationForm({ ood, canBePublished, isPublished, hasDevelopment, isValidated });
    return { section: "evaluate", schema, why: (key) => whyOfImages(key, ood, hasDevelopment) };
  }
  if (typeof kind !== "string") return null;
  const why = (key: string): Cause => {
    if (key === "keep") return UNSCORED;
    if (key === "development") return cause("text has a development set of its own", "data.kind");
    return cause("only images are corrupted", "data.kind");
  };
  return { section: "evaluate", schema: textEvaluationForm(isValidated), why };
}

const UNSCORED = cause(
  "without `evaluate.every` nobody knows which weights are the best",
  "evaluate.every",
  "data.kind",
);

function whyOfImages(key: string, ood: OodSet, hasDevelopment: boolean): Cause {
  if (key === "keep" && hasDevelopment) return UNSCORED;
  if (key === "every" || key === "keep") {
    return cause("without `evaluate.development` there is no development set", "evaluate.development", "data.kind");
  }
  if (ood === "none") return cause("`evaluate.ood` is `none`", "evaluate.ood", "data.kind");
  if (key === "ood_path") {
    const text =
      "`data.kind` is `image_folder`, and the published files are corruptions of the published images in their order";
    return cause(text, "data.kind");
  }
  if (key === "frost_textures" && ood === "cifar_c") {
    return cause("the files of `evaluate.ood_path` are read", "evaluate.ood_path");
  }
  const text = key === "corruptions" ? "only CIFAR-C has more than its main corruptions" : "only CIFAR-C has frost";
  return cause(text, "evaluate.ood", "data.kind");
}

function threadsForm(settings: Settings): Form {
  const why = cause("`device.threads` is 1, and one thread waits for no other", "device.threads");
  return { section: "device", schema: deviceForm(at(settings, "device.threads")), why: () => why };
}

/** @param form the supervision that this kind of configuration has */
export function restartsForm(settings: Settings, form: z.ZodObject): Form {
  const why = cause("`supervision.max_restarts` is 0", "supervision.max_restarts");
  const restarts = at(settings, "supervision.max_restarts") !== 0;
  return { section: "supervision", schema: supervisionForm(form, restarts), why: () => why };
}

function isInterventionKind(kind: unknown): kind is InterventionKind {
  return (INTERVENTION_KINDS as readonly unknown[]).includes(kind);
}

function areMetrics(value: unknown): value is Metric[] {
  return Array.isArray(value) && value.every((metric) => (METRICS as readonly unknown[]).includes(metric));
}

function isOodSet(value: unknown): value is OodSet {
  return (OOD_SETS as readonly unknown[]).includes(value);
}
