import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { loadConfig } from "../../src/config/layers/load.js";
import type { Config } from "../../src/config/schema.js";
import type { ControllerEnd } from "../../src/controller/controller.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { killAt, livingWorkers, newRunFolder, runTiny } from "./harness.js";
import { writtenTexts } from "./texts.js";

const ADAPTER_FILES = [
  "README.md",
  "adapter_config.json",
  "adapter_model.safetensors",
  "manifest.json",
  "weights.json",
];
const HALF_TRUTHS = ["best/step-00000007", "checkpoints/step-00000007"];

const cache = mkdtempSync(join(tmpdir(), "thawline-text-cache-"));
let texts: string;
beforeAll(async () => {
  vi.stubEnv("THAWLINE_CACHE", cache);
  texts = await writtenTexts();
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

const SHORT = ["model.pretrained=./encoder", "device.threads=1", "supervision.restart_delay_seconds=0.05"];

/**
 * The encoder's tokenizer, and with it every number, is another one in each run of these tests. At this rate tr(F) rises
 * steeply, and epsilon is so wide that what follows is stable, whatever the tokenizer is.
 */
function questionsConfig(): Config {
  const overrides = [
    ...["data.path=./xquad", "data.languages=[en,de,zh]", "train.updates=80", "train.learning_rate=0.05"],
    ...["probe.points=32", "intervention.epsilon=0.08", "intervention.k_max=60"],
    ...["evaluate.every=15", "checkpoint.every=20"],
  ];
  return loadConfig({ source: "xquad-small", overrides: [...SHORT, ...overrides], env: {}, cwd: texts });
}

function pairsConfig(): Config {
  const overrides = [
    ...["model.revision=null", "data.train=./nli", "data.development=./nli"],
    ...["data.tests=[{name: xnli, source: ./nli, languages: [en, de, ru]}]", "data.max_test_examples=30"],
    ...[
      "train.updates=24",
      "train.batch_size=16",
      "train.learning_rate=0.02",
      "probe.every=2",
      "probe.points=32",
      "probe.batch_size=16",
    ],
    ...["intervention.epsilon=0.9", "intervention.k_max=10", "evaluate.every=6", "checkpoint.every=8"],
  ];
  return loadConfig({ source: "mnli-xlmr-lora", overrides: [...SHORT, ...overrides], env: {}, cwd: texts });
}

/** Kills the worker at the first record that each predicate accepts, one after another. */
const decidesInterval = ({ decisions = [] }: JournalRecord) =>
  decisions.some(({ type }) => type === "interval/decided");

/** The same decisions, scores and weights, although the worker was killed on the way. */
async function expectUndisturbed(runFolder: string, end: ControllerEnd, undisturbed: ControllerEnd): Promise<void> {
  const { weights_sha256, k, best, scores, in_dist } = undisturbed.results;
  expect(end.results).toMatchObject({ outcome: "finished", weights_sha256, k, best, scores, in_dist });
  expect(end.results.bit_identical).toEqual({ promised: true, dropped_because: [] });
  expect(end.state.scores.validations).toEqual(undisturbed.state.scores.validations);
  expect(measured(end.state)).toEqual(measured(undisturbed.state));
  const { records } = await readJournal(runFolder);
  verifyJournal(records);
  expect(records.filter(decidesInterval)).toHaveLength(1);
  expect(keptSteps(runFolder)).toEqual([best!.step]);
  await expect.poll(() => livingWorkers(runFolder)).toEqual([]);
}

/** Of the best weights, those that are still on the disk. */
function keptSteps(runFolder: string): number[] {
  return readdirSync(join(runFolder, "best")).map((name) => Number(name.replace("step-", "")));
}

function measured({ signal: { series } }: State): unknown[] {
  return Object.entries(series).map(([key, points]) => [key, points.map(({ update, value }) => [update, value])]);
}

function readJson(...path: string[]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(...path), "utf8")) as Record<string, unknown>;
}

const folders = { questions: newRunFolder(), pairs: newRunFolder() };

describe("a run on questions", () => {
  const runFolder = folders.questions;
  let run: ControllerEnd;
  beforeAll(async () => {
    run = await runTiny(runFolder, questionsConfig());
  });

  test("decides k online and unfreezes by it; its journal says so", async () => {
    const k = run.results.k!.value;
    expect(run.results).toMatchObject({ outcome: "finished", updates: 80, attempts: 1 });
    expect(run.results.k).toMatchObject({ source: "online", signal: "fisher_trace", decided_at_update: k });
    expect(run.state.signal.series["probe/fisher_trace"]!.map(({ update }) => update)).toEqual([
      1,
      ...Array.from({ length: k / 4 }, (_, point) => 4 * (point + 1)),
    ]);
    const { records } = await readJournal(runFolder);
    expect(verifyJournal(records).state.interval).toEqual(run.state.interval);
    const decisions = records.flatMap((record) => record.decisions ?? []);
    expect(decisions.filter(({ type }) => type === "interval/decided")).toMatchObject([{ k, source: "online" }]);
    const unfrozen = decisions.filter((decision) => decision.type === "block/unfrozen");
    const due = [k, 2 * k, 3 * k].filter((update) => update <= 80);
    expect(unfrozen.map(({ update }) => update)).toEqual(due);
    expect(unfrozen.flatMap(({ blocks }) => blocks)).toEqual(
      ["layers6to8", "layers3to5", "layers0to2"].slice(0, due.length),
    );
  });

  test("leaves the weights that were best on the development set, and scores them in each language", () => {
    const written = readJson(runFolder, "results.json") as unknown as ControllerEnd["results"];
    expect(written).toEqual(run.results);
    expect(run.state.scores.validations.map(({ step }) => step)).toEqual([14, 29, 44, 59, 74, 80]);
    const highest = Math.max(...run.state.scores.validations.map(({ score }) => score as number));
    expect(written.best).toEqual({
      step: [...run.state.scores.validations].find(({ score }) => score === highest)!.step,
      development: { f1: highest, exact_match: expect.any(Number) as number },
    });
    const { per_language: perLanguage, cross_lingual: mean } = written.scores!["xquad"]!;
    expect(Object.keys(perLanguage)).toEqual(["en", "de", "zh"]);
    for (const scores of Object.values(perLanguage)) expect(scores.num_examples).toBe(36);
    expect(written.in_dist).toEqual(perLanguage["en"]);
    expect(mean!["f1"]).toBeCloseTo((perLanguage["de"]!["f1"]! + perLanguage["zh"]!["f1"]!) / 2, 12);
    expect(keptSteps(runFolder)).toEqual([written.best!.step]);
  });

  test("says in its manifest which encoder and data it was made from", () => {
    expect(readJson(runFolder, "manifest.json")).toMatchObject({
      pretrained: { name: join(texts, "encoder"), revision: null },
      data: { kind: "xquad_articles", sources: { xquad: join(texts, "xquad") } },
      software: { transformers: expect.any(String) as string, peft: expect.any(String) as string },
    });
  });

  test("leaves an adapter with a card that names k and its signal", () => {
    const { k, best, weights_sha256 } = run.results;
    expect(readdirSync(join(runFolder, "adapter")).sort()).toEqual(ADAPTER_FILES);
    expect(readJson(runFolder, "adapter", "weights.json")).toEqual({ step: best!.step, weights_sha256 });
    expect(readJson(runFolder, "adapter", "adapter_config.json")).toMatchObject({
      peft_type: "LORA",
      base_model_name_or_path: join(texts, "encoder"),
      r: 8,
    });
    const card = readFileSync(join(runFolder, "adapter", "README.md"), "utf8");
    const decided = `k = ${k!.value} (source: online, signal \`fisher_trace\`, decided at update ${k!.value}).`;
    expect(card).toContain(`after ${best!.step} updates`);
    expect(card).toContain(decided);
    for (const split of ["in_dist", "ood/xquad/en", "ood/xquad/de", "ood/xquad/zh"]) {
      expect(card).toContain(`| ${split} |`);
    }
  });

  test("killed after it kept its best weights, and at the decision, ends as undisturbed", async () => {
    const folder = newRunFolder();
    // The first is before any checkpoint; at the second the grant that unfreezes is not sent yet.
    const kill = killAt(({ event }) => event.type === "worker/kept", decidesInterval);
    const end = await runTiny(folder, questionsConfig(), {
      onRecord: (record, state, killWorker) => {
        // A worker that dies between writing and reporting leaves folders that no journal knows.
        if (decidesInterval(record)) {
          for (const stored of HALF_TRUTHS) mkdirSync(join(folder, stored), { recursive: true });
        }
        kill(record, state, killWorker);
      },
    });
    expect(HALF_TRUTHS.filter((stored) => existsSync(join(folder, stored)))).toEqual([]);
    expect(end.results.attempts).toBe(3);
    await expectUndisturbed(folder, end, run);
  });
});

test("a run on sentence pairs is scored by accuracy, and survives a kill", async () => {
  // A new process, which agrees with those that the nursery forks.
  const run = await runTiny(folders.pairs, pairsConfig(), { python: inject("realPython") });
  const accuracy = expect.any(Number) as number;
  const scores = { accuracy, num_examples: 30 };
  expect(run.results).toMatchObject({ outcome: "finished", updates: 24, attempts: 1, in_dist: scores });
  expect(run.results.k!.value).toBeLessThanOrEqual(10);
  expect(run.results.scores).toEqual({
    xnli: { per_language: { en: scores, de: scores, ru: scores }, cross_lingual: { accuracy }, scorer: null },
  });
  expect(run.results.best).toMatchObject({ development: { accuracy } });

  const folder = newRunFolder();
  const killed = await runTiny(folder, pairsConfig(), {
    onRecord: killAt(({ event }) => event.type === "worker/checkpointed"),
  });
  expect(killed.results.attempts).toBe(2);
  await expectUndisturbed(folder, killed, run);
  expect(existsSync(join(folder, "adapter", "adapter_model.safetensors"))).toBe(true);
});

test("PEFT and transformers, without thawline, load what these runs left", async () => {
  const script = resolve(import.meta.dirname, "../fixtures/load_adapter.py");
  const adapters = Object.entries(folders).flatMap(([task, folder]) => [task, join(folder, "adapter")]);
  const { stdout } = await execa(inject("realPython"), [script, join(texts, "encoder"), ...adapters]);
  const found = { complete: true, adapted: true, thawline: false };
  expect(JSON.parse(stdout)).toEqual([
    { ...found, outputs: 2 },
    { ...found, outputs: 3 },
  ]);
});
