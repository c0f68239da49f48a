import { describe, expect, it } from "vitest";
import { outcomeOf } from "../outcome.js";

const outcome = (...overrides: string[]): string => outcomeOf("quickstart", ...overrides);

describe("findConflicts", () => {
  it("wants the length of training once", () => {
    expect(outcome("train.updates=null")).toMatchInlineSnapshot(
      `"command line: \`train\` says neither \`epochs\` nor \`updates\` / set one of them, for example \`train.epochs=10\`"`,
    );
    expect(outcome("train={epochs: 1, updates: 1}")).toMatchInlineSnapshot(
      `"command line: \`train\` says both \`epochs\` and \`updates\` / remove one of them"`,
    );
  });

  it("wants the signal of an online decision to be measured", () => {
    expect(outcome("probe.metrics=[sharpness_avg]")).toMatchInlineSnapshot(
      `"command line: \`intervention.signal\` is \`fisher_trace\`, which \`probe.metrics\` does not measure / add \`fisher_trace\` to \`probe.metrics\`, or choose a signal that is in it"`,
    );
    expect(outcome("probe.metrics=[sharpness_avg]", "intervention.k=40", "probe.until=end")).toBe("accepted");
    expect(outcome("probe.metrics=[]", "intervention.k=40")).toContain("nothing is measured");
    expect(outcome("probe.metrics=[fisher_trace, fisher_trace]")).toMatchInlineSnapshot(
      `"command line: \`probe.metrics\` names \`fisher_trace\` twice / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
  });

  it("wants a probe to end before training does", () => {
    expect(outcome("probe.until=1001")).toMatchInlineSnapshot(
      `"command line: \`probe.until\` is 1001, but training ends after 1000 updates / write \`end\` to measure to the end"`,
    );
    expect(outcome("probe.until=1000")).toBe("accepted");
  });

  it("wants the intervention to start before training ends, where that is known, and a probe to end after that", () => {
    expect(outcome("intervention.start=1001")).toMatchInlineSnapshot(
      `"command line: \`intervention.start\` is 1001, but training ends after 1000 updates / set \`intervention.start\` to at most 1000, or train longer"`,
    );
    expect(outcome("intervention.start=1000")).toBe("accepted");
    expect(outcome("intervention.start=1001", "train.updates=null", "train.epochs=1")).toBe("accepted");
    expect(outcome("intervention.start=51", "probe.until=50")).toMatchInlineSnapshot(
      `"command line: \`probe.until\` is 50, but signals are measured from \`intervention.start\` on, which is 51 / write \`end\` to measure to the end"`,
    );
    expect(outcome("intervention.start=50", "probe.until=50")).toBe("accepted");
    expect(outcome("intervention.start=0")).toMatchInlineSnapshot(
      `"command line: \`intervention.start\`: expected a number of at least 1, got \`0\` / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
  });

  it("wants a release for a warm-up, where k and the length are known", () => {
    expect(outcome("intervention.k=501", "train.updates=500", "intervention.release_warmup=5")).toMatchInlineSnapshot(
      `"command line: \`intervention.release_warmup\` has no effect: the first block would be released before update 501, and training ends after 500 / leave it out, or set a smaller \`intervention.k\`"`,
    );
    expect(outcome("intervention.k=500", "train.updates=500", "intervention.release_warmup=5")).toBe("accepted");
    const late = ["intervention.k=300", "train.updates=500", "intervention.release_warmup=5"];
    expect(outcome(...late, "intervention.first_unfreeze=paper41")).toContain("before update 600");
    expect(outcome(...late, "intervention.start=300")).toContain("before update 599");
    expect(outcome("intervention.release_warmup=5")).toBe("accepted");
    expect(outcome("intervention.kind=learning_rate_switch", "intervention.release_warmup=5")).toMatchInlineSnapshot(
      `"command line: \`intervention.release_warmup\` has no effect: \`intervention.kind\` is \`learning_rate_switch\` / remove \`intervention.release_warmup\`"`,
    );
    expect(outcome("intervention.release_warmup=1")).toMatchInlineSnapshot(
      `"command line: \`intervention.release_warmup\`: expected a number of at least 2, got \`1\` / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
  });

  it("refuses exact labels, and an online decision, for an estimate by whole batches", () => {
    expect(
      outcome("probe.estimator=batch", "probe.labels=exact", "intervention.k=40", "probe.until=end"),
    ).toMatchInlineSnapshot(
      `"command line: \`probe.estimator\` is \`batch\`, which needs one label per point, but \`probe.labels\` is \`exact\` / set \`probe.labels=sampled\` or \`probe.estimator=per_example\`"`,
    );
    expect(outcome("probe.estimator=batch")).toMatchInlineSnapshot(
      `"command line: \`probe.estimator\` is \`batch\`, which has no standard error: \`fisher_trace\` could never decide \`k\` / set \`probe.estimator=per_example\`, or fix \`intervention.k\`"`,
    );
    expect(outcome("probe.estimator=batch", "intervention.k=40", "probe.until=end")).toBe("accepted");
    expect(outcome("probe.estimator=batch", "intervention.kind=none", "probe.until=end")).toBe("accepted");
    expect(outcome("probe.labels=exact")).toBe("accepted");
    const sharpness = ["probe.metrics=[fisher_trace, sharpness_avg]", "intervention.signal=sharpness_avg"];
    expect(outcome("probe.estimator=batch", ...sharpness)).toBe("accepted");
  });

  it("wants whole pairs of antithetic noise, and two of them where they decide", () => {
    const measured = "probe.metrics=[fisher_trace, sharpness_avg]";
    expect(outcome(measured, "probe.draws=15")).toMatchInlineSnapshot(
      `"command line: \`probe.draws\` is 15, an odd number, and \`probe.noise\` is \`antithetic\`, which draws pairs / set \`probe.draws=16\` or \`probe.noise=independent\`"`,
    );
    expect(outcome(measured, "probe.draws=15", "probe.noise=independent")).toBe("accepted");
    expect(outcome(measured, "probe.draws=2")).toBe("accepted");
    expect(outcome(measured, "probe.draws=2", "intervention.signal=sharpness_avg")).toMatchInlineSnapshot(
      `"command line: \`probe.draws\` is 2, one antithetic pair, which has no standard error: \`sharpness_avg\` could never decide \`k\` / set \`probe.draws=4\` or more"`,
    );
    expect(outcome(measured, "probe.draws=4", "intervention.signal=sharpness_avg")).toBe("accepted");
  });

  it("wants the options of one search with that search", () => {
    const measured = "probe.metrics=[fisher_trace, sharpness_worst]";
    expect(outcome(measured, "probe.worst_value=last")).toMatchInlineSnapshot(
      `"command line: \`probe.worst_value\` has no effect: \`probe.search\` is \`sphere\`, and only \`apgd\` has it / remove \`probe.worst_value\`"`,
    );
    expect(outcome(measured, "probe.search=apgd", "probe.search_tolerance=0.01")).toMatchInlineSnapshot(
      `"command line: \`probe.search_tolerance\` has no effect: \`probe.search\` is \`apgd\`, and only \`sphere\` has it / remove \`probe.search_tolerance\`"`,
    );
    expect(outcome(measured, "probe.search=apgd", "probe.worst_value=last")).toBe("accepted");
    expect(outcome(measured, "probe.search_tolerance=0.01")).toBe("accepted");
    expect(outcome("probe.noise=independent")).toContain("`probe.metrics` measures `fisher_trace` only");
  });

  it("lets only signals with errors decide", () => {
    const decides = (metric: string): string =>
      outcome(`probe.metrics=[${metric}]`, `intervention.signal=${metric}`, "intervention.k=online");
    expect(decides("sharpness_worst")).toBe("accepted");
    expect(decides("hessian_lambda_max")).toMatchInlineSnapshot(
      `"command line: \`intervention.signal\`: expected \`fisher_trace\`, \`sharpness_avg\`, \`sharpness_worst\` or \`critical_sharpness\`, got \`hessian_lambda_max\` / \`npx thawline config show quickstart\` prints every key with its value"`,
    );
    expect(outcome("probe.metrics=[fisher_trace, hessian_lambda_max, feature_lambda_max, feature_rank]")).toBe(
      "accepted",
    );
  });

  it("wants enough training examples", () => {
    expect(outcome("data.max_train_examples=32")).toMatchInlineSnapshot(`
      "\`quickstart\` has 2 problems
        command line: \`probe.points\` is 512, more than the 32 examples of \`data.max_train_examples\`
        command line: \`train.batch_size\` is 64, more than the 32 examples of \`data.max_train_examples\` / \`npx thawline config show quickstart\` prints every key with its value"
    `);
    expect(outcome("data.max_train_examples=512")).toBe("accepted");
  });

  it("wants data to be where they do not come along", () => {
    expect(outcome("data.kind=image_folder", "evaluate.ood=none")).toMatchInlineSnapshot(
      `"command line: \`data.path\` is missing: \`image_folder\` does not come with thawline / set \`data.path\` to a folder with images as \`train/<class>/*.png\` and \`test/<class>/*.png\`, or \`.jpg\`"`,
    );
    expect(outcome("data.kind=image_folder", "evaluate.ood=none", "data.path=images")).toBe("accepted");
  });

  it("wants corruptions of the same data", () => {
    expect(outcome("data.kind=cifar10", "data.path=x")).toMatchInlineSnapshot(
      `"command line: \`evaluate.ood\` is \`mnist_c\`, which are corruptions of MNIST, but \`data.kind\` is \`cifar10\` / set \`evaluate.ood=none\`"`,
    );
  });

  it("wants images that VGG-11 can pool five times", () => {
    expect(outcome("model.kind=vgg11", "model.dropout=0.1")).toMatchInlineSnapshot(
      `"command line: \`model.kind\` is \`vgg11\`, whose five poolings leave nothing of the 28 x 28 images of \`mnist\` / use \`model.kind=resnet18\`, or images of at least 32 x 32"`,
    );
    const cifar = ["data.kind=cifar10", "data.path=x", "evaluate.ood=none"];
    expect(outcome("model.kind=vgg11", ...cifar)).toBe("accepted");
  });

  it("wants a normalization of as many channels as the images have", () => {
    expect(outcome("data.normalization={mean: [0.1, 0.2, 0.3], std: [1, 1, 1]}")).toMatchInlineSnapshot(
      `"command line: \`data.normalization\` has 3 means and 3 deviations, not one of each per channel / \`mnist\` has 1 channel(s)"`,
    );
    expect(outcome("data.normalization={mean: [0.1], std: [1]}")).toBe("accepted");
    const images = ["data.kind=image_folder", "data.path=x", "evaluate.ood=none"];
    expect(outcome("data.normalization={mean: [0.1], std: [1, 1]}", ...images)).toContain("1 means and 2 deviations");
    expect(outcome("data.normalization={mean: [0.1, 0, 1], std: [1, 1, 2]}", ...images)).toBe("accepted");
  });
});
