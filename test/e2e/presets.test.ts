import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { measuredBy } from "../../src/core/measured.js";
import { loadConfig } from "../../src/config/layers/load.js";
import { listPresets } from "../../src/config/layers/presets.js";
import { findPython } from "../../src/launch/python.js";
import { PACKAGE_ROOT } from "../../src/package.js";
import { CommandLine } from "./command-line.js";
import { newRunFolder, runTiny } from "./harness.js";
import { cifar10Images, HAS_CIFAR10, XQUAD } from "./real-data.js";
import { writtenTexts } from "./texts.js";

interface VisionPreset {
  /** At which width it is tried here; each is as wide as it is where none is given. */
  readonly width?: number;
  /** VGG cannot be narrowed, and is tried for fewer updates of small batches. */
  readonly slow?: true;
  /** Data that it does not bring along. */
  readonly cifar?: "cifar10" | "cifar100";
  /** Its images are in folders: without the real ones it is not tried. */
  readonly inFolders?: true;
  /** It has no intervention, and measures nothing. */
  readonly standard?: true;
}

const VISION_PRESETS: Readonly<Record<string, VisionPreset>> = {
  quickstart: {},
  "mnist-resnet18": { width: 8 },
  "cifar10-resnet18": { width: 8, cifar: "cifar10" },
  "cifar10-vgg11": { slow: true, cifar: "cifar10" },
  "cifar100-resnet18": { width: 8, cifar: "cifar100" },
  "transfer-small": { cifar: "cifar10", inFolders: true },
  "transfer-source": { cifar: "cifar10", inFolders: true, standard: true },
};

const QUESTIONS = ["data.train=./squad", "data.development=./squad"];
const XQUAD_TEST = "{name: xquad, source: ./xquad, languages: [en, es, de, ru, zh]}";
const MLQA_TEST = "{name: mlqa, source: ./mlqa, languages: [en, es, de, zh]}";
const PAIRS = ["data.train=./nli", "data.development=./nli/xnli.dev.tsv"];
const XNLI_TEST = "{name: xnli, source: ./nli, languages: [en, es, de, ru, zh]}";

const FIVE_LANGUAGES = ["en", "es", "de", "ru", "zh"];

/** Each preset of text: what makes it read small files in place of the Hub's, and how it is scored. */
const TEXT_PRESETS: Readonly<
  Record<
    string,
    {
      readonly data: readonly string[];
      readonly testSets: Readonly<Record<string, { readonly languages: string[]; readonly scorer: string | null }>>;
      readonly scores: readonly string[];
    }
  >
> = {
  "xquad-small": {
    // A small vocabulary needs more tokens for the same words, and a question has to fit into a window.
    data: ["data.path=./xquad", ...(XQUAD === undefined ? [] : ["data.max_length=256"])],
    testSets: { xquad: { languages: FIVE_LANGUAGES, scorer: "squad" } },
    scores: ["f1", "exact_match"],
  },
  "squad-xlmr-lora": {
    data: ["model.revision=null", ...QUESTIONS, `data.tests=[${XQUAD_TEST}, ${MLQA_TEST}]`],
    testSets: {
      xquad: { languages: FIVE_LANGUAGES, scorer: "squad" },
      mlqa: { languages: ["en", "es", "de", "zh"], scorer: "mlqa" },
    },
    scores: ["f1", "exact_match"],
  },
  "mnli-xlmr-lora": {
    data: ["model.revision=null", ...PAIRS, `data.tests=[${XNLI_TEST}]`],
    testSets: { xnli: { languages: FIVE_LANGUAGES, scorer: null } },
    scores: ["accuracy"],
  },
};

const COMMON = ["data.max_test_examples=32", "device.threads=1"];

/** Makes 30 updates of it, with k capped at 20, and changes nothing else: not the batches, the rates or the signals. */
const SHORTER = [...COMMON, "train.updates=30", "intervention.k_max=20", "probe.points=64"];

/** As few as a network of full width can make in seconds. */
const SHORTEST = [...COMMON, "train.updates=3", "intervention.k_max=2", "probe.points=16", "train.batch_size=16"];

const folder = mkdtempSync(join(tmpdir(), "thawline-presets-"));
let commandLine: CommandLine;
beforeAll(async () => {
  vi.stubEnv("THAWLINE_CACHE", join(folder, "cache"));
  commandLine = await CommandLine.open();
});
afterAll(() => {
  commandLine.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** What makes a preset use the real images, or a small archive in the format of the real one. */
async function cifarSettings(kind: "cifar10" | "cifar100"): Promise<string[]> {
  if (kind === "cifar10" && HAS_CIFAR10) {
    return ["data.kind=image_folder", `data.path=${await cifar10Images(join(folder, "cifar10"))}`];
  }
  const archive = join(folder, `${kind}.tar.gz`);
  const python = await findPython({ env: process.env, packageRoot: PACKAGE_ROOT });
  await execa(python.command, [resolve(import.meta.dirname, "../fixtures/write_cifar.py"), kind, archive]);
  return [`data.path=${archive}`, "data.verify_checksums=false"];
}

test("every preset is tried here", () => {
  const tried = [...Object.keys(VISION_PRESETS), ...Object.keys(TEXT_PRESETS)];
  expect(listPresets().map(({ name }) => name)).toEqual(tried.sort());
});

describe.each(Object.entries(VISION_PRESETS))("%s", (name, { width, slow, cifar, inFolders, standard }) => {
  const shown = width === undefined ? "at full width" : `narrowed to width ${width}`;
  const real = cifar === undefined || (cifar === "cifar10" && HAS_CIFAR10);

  const [updates, cap] = slow ? [3, 2] : [30, 20];

  test.skipIf(inFolders && !real)(
    `trains ${updates} updates ${shown}, on ${real ? "real images" : "an archive of noise"}`,
    async () => {
      const narrowed = width === undefined ? [] : [`model.width=${width}`];
      const data = cifar === undefined ? [] : await cifarSettings(cifar);
      const config = loadConfig({
        source: name,
        overrides: standard
          ? [...COMMON, "train.updates=30", ...data]
          : [...(slow ? SHORTEST : SHORTER), "evaluate.images_per_corruption=8", ...narrowed, ...data],
        cwd: folder,
      });
      const { results, state } = await runTiny(newRunFolder(), config);
      expect(results).toMatchObject({ outcome: "finished", updates, attempts: 1 });
      if (standard) return;
      expect(results.k).toMatchObject({ value: cap, source: "cap" });
      const points = slow ? [1] : inFolders ? [1, 5, 10, 15, 20] : [1, 10, 20];
      expect(state.signal.series["probe/fisher_trace"]?.map((point) => point.update)).toEqual(points);
      expect(results.in_dist?.accuracy).toBeGreaterThanOrEqual(0);
      expect(results.ood === null).toBe(config.evaluate.ood === "none");
    },
  );

  test("says where its data are to be had when they are not there", async () => {
    const said = await commandLine.refused("run", name, "data.path=nowhere");
    expect(said).toMatch(
      /^exit code 2\nerror: `data\.path` names `CWD\/nowhere`, which does not exist\n\nhint: set `data\.path` to /,
    );
    if (cifar === undefined) return;
    if (inFolders) {
      expect(await commandLine.refused("run", name)).toContain("`data.path` is missing: `image_folder` does not come");
      return;
    }
    const missing = await commandLine.refused("run", name);
    expect(missing).toMatch(
      new RegExp(
        `^exit code 2\\nerror: configs/${name}\\.yaml:\\d+:3: \`data\\.path\` is missing: \`${cifar}\` does not come with ` +
          "thawline\\n\\nhint: set `data\\.path` to the archive .* \\(the University of Toronto publishes it: https://www\\.cs\\.toronto\\.edu/~kriz/cifar\\.html\\)",
      ),
    );
  });
});

test("mnist-resnet18 makes its first updates at full width", async () => {
  const overrides = [...SHORTEST, "evaluate.ood=none"];
  const config = loadConfig({ source: "mnist-resnet18", overrides, cwd: folder });
  const { results, state } = await runTiny(newRunFolder(), config);
  expect(results).toMatchObject({ outcome: "finished", updates: 3, attempts: 1, k: { value: 2, source: "cap" } });
  const layer4 = state.model?.blocks.find(({ name }) => name === "layer4");
  expect(layer4?.numParams).toBe(8_393_728);
});

describe.each(Object.entries(TEXT_PRESETS))("%s", (name, { data, testSets, scores }) => {
  test("trains 30 updates of a tiny XLM-R with random weights", async () => {
    const texts = await writtenTexts(XQUAD);
    const overrides = [...SHORTER, "model.pretrained=./encoder", ...data];
    const config = loadConfig({ source: name, overrides, cwd: texts });
    const { results, state } = await runTiny(newRunFolder(), config);
    expect(results).toMatchObject({ outcome: "finished", updates: 30, attempts: 1, k: { value: 20, source: "cap" } });
    const { every } = measuredBy(config)!;
    const points = Array.from({ length: 20 / every }, (_, point) => every * (point + 1));
    expect(state.signal.series["probe/fisher_trace"]?.map(({ update }) => update)).toEqual([1, ...points]);
    expect(results.best?.step).toBe(30);
    expect(Object.keys(results.scores!)).toEqual(Object.keys(testSets));
    for (const [testSet, { languages, scorer }] of Object.entries(testSets)) {
      const { per_language: perLanguage, cross_lingual: mean, scorer: used } = results.scores![testSet]!;
      expect(used).toBe(scorer);
      expect(Object.keys(perLanguage)).toEqual(languages);
      for (const language of Object.values(perLanguage)) {
        expect(Object.keys(language)).toEqual([...scores, "num_examples"]);
        expect(language.num_examples).toBe(32);
      }
      expect(Object.keys(mean!)).toEqual(scores);
    }
  });
});
