import { describe, expect, it } from "vitest";
import type { State } from "../../src/core/state.js";
import { reduce } from "../../src/core/reduce.js";
import { createPlainLines, jsonLine } from "../../src/words/plain.js";
import { quickstartConfig, simulateRun, type RecordedRun } from "../support/journal-builder.js";

function linesOf({ records }: RecordedRun, progressSeconds?: number): string[] {
  const plainLines = createPlainLines(progressSeconds);
  let state: State | null = null;
  return records.flatMap((record) => plainLines(record, (state = reduce(state, record.event).state)));
}

describe("plain lines", () => {
  it("tell a run from launch to end", () => {
    expect(`\n${linesOf(simulateRun()).join("\n")}\n`).toMatchInlineSnapshot(`
      "
      2026-11-23 UTC
      12:00:00               run        quickstart-2026-11-23-120000: resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper: constant), seed 0
      12:00:00               run        signals every 10 updates, of the trainable parameters, over 512 training examples in batches of 256; tr(F): labels sampled from the model, per example
      12:00:00               run        controller: process 4700 on node-3
      12:00:00               worker     attempt 1: worker started as process 4711
      12:00:01               worker     connected from process 4711 on node-3: python 3.11.9, torch 2.13.0, numpy 2.4.1
      12:00:03               worker     ready: 5 blocks and a head, 175 682 parameters, 1000 updates, cpu with 1 thread
      12:00:04 update 1      signal     tr(F) 0.00144 +- 0.0012, transient (1 point so far)
      12:00:04 update 10     progress   loss 2.18, 1422 samples/s
      12:00:04 update 10     signal     tr(F) 0.00474 +- 0.0012, transient (2 points so far)
      12:00:05 update 20     signal     tr(F) 0.0111 +- 0.0012, transient (3 points so far)
      12:00:06 update 30     signal     tr(F) 0.0197 +- 0.0012, transient: change 0.33 of its range, calm 0 of 3
      12:00:07 update 40     signal     tr(F) 0.0342 +- 0.0012, transient: change 0.3 of its range, calm 0 of 3
      12:00:07 update 50     signal     tr(F) 0.0495 +- 0.0012, transient: change 0.27 of its range, calm 0 of 3
      12:00:08 update 60     signal     tr(F) 0.0585 +- 0.0012, transient: change 0.23 of its range, calm 0 of 3
      12:00:09 update 70     signal     tr(F) 0.062 +- 0.0012, transient: change 0.15 of its range, calm 0 of 3
      12:00:10 update 80     signal     tr(F) 0.064 +- 0.0012, transient: change 0.077 of its range, calm 0 of 3
      12:00:10 update 90     signal     tr(F) 0.0654 +- 0.0012, transient: change 0.036 of its range, calm 0 of 3
      12:00:11 update 100    signal     tr(F) 0.0649 +- 0.0012, settling: change 0.015 of its range, calm 1 of 3
      12:00:12 update 110    signal     tr(F) 0.0657 +- 0.0012, settling: change 0.0084 of its range, calm 2 of 3
      12:00:13 update 120    signal     tr(F) 0.0655 +- 0.0012, stable: change 5.7e-4 of its range, calm 3 of 3
      12:00:13 update 120    decision   k = 120: tr(F) has been stable for 3 points (change 5.7e-4 <= 0.02 of its range, noise 0.0031)
      12:00:13 update 120    decision   unfroze layer4 before update 120
      12:00:14 update 160    progress   loss 0.619, 1422 samples/s
      12:00:18 update 240    decision   unfroze layer3 before update 240
      12:00:19 update 250    checkpoint step 249 saved in checkpoints/step-249
      12:00:24 update 360    decision   unfroze layer2 before update 360
      12:00:25 update 370    progress   loss 0.217, 1422 samples/s
      12:00:30 update 480    decision   unfroze layer1 before update 480
      12:00:31 update 500    checkpoint step 499 saved in checkpoints/step-499
      12:00:35 update 580    progress   loss 0.187, 1422 samples/s
      12:00:36 update 600    decision   unfroze stem before update 600
      12:00:43 update 750    checkpoint step 749 saved in checkpoints/step-749
      12:00:45 update 790    progress   loss 0.263, 1422 samples/s
      12:00:55 update 1000   checkpoint step 999 saved in checkpoints/step-999
      12:00:55 update 1001   checkpoint step 1000 saved in checkpoints/step-1000
      12:00:56 update 1001   progress   evaluate in_dist
      12:00:57 update 1001   evaluation in_dist accuracy 95.34 % (10 000 examples)
      12:00:58 update 1001   evaluation ood/shot_noise accuracy 64.30 % (2000 examples, regenerated)
      12:00:59 update 1001   evaluation ood/impulse_noise accuracy 35.60 % (2000 examples, regenerated)
      12:01:00 update 1001   evaluation ood/glass_blur accuracy 68.40 % (2000 examples, regenerated)
      12:01:01 update 1001   evaluation ood/motion_blur accuracy 39.70 % (2000 examples, regenerated)
      12:01:03 update 1001   evaluation ood/shear accuracy 72.50 % (2000 examples, regenerated)
      12:01:04 update 1001   evaluation ood/scale accuracy 43.80 % (2000 examples, regenerated)
      12:01:05 update 1001   evaluation ood/rotate accuracy 76.60 % (2000 examples, regenerated)
      12:01:06 update 1001   evaluation ood/brightness accuracy 47.90 % (2000 examples, regenerated)
      12:01:07 update 1001   progress   evaluate ood/translate
      12:01:07 update 1001   evaluation ood/translate accuracy 80.70 % (2000 examples, regenerated)
      12:01:09 update 1001   evaluation ood/stripe accuracy 52.00 % (2000 examples, regenerated)
      12:01:10 update 1001   evaluation ood/fog accuracy 84.80 % (2000 examples, regenerated)
      12:01:11 update 1001   evaluation ood/spatter accuracy 56.10 % (2000 examples, regenerated)
      12:01:12 update 1001   evaluation ood/dotted_line accuracy 88.90 % (2000 examples, regenerated)
      12:01:13 update 1001   evaluation ood/zigzag accuracy 60.20 % (2000 examples, regenerated)
      12:01:15 update 1001   evaluation ood/canny_edges accuracy 93.00 % (2000 examples, regenerated)
      12:01:15 update 1001   run        finished after 1000 updates
      "
    `);
  });

  it("name a metric that is recorded only, and the detector says nothing of it", () => {
    const config = quickstartConfig("probe.metrics=[fisher_trace, gradient_norm]");
    const run = simulateRun({ config, until: ({ progress }) => progress.frontier >= 40 });
    const line = linesOf(run).find((text) => text.includes("update 40") && text.includes("gradient"));
    expect(line).toMatchInlineSnapshot(`"12:00:07 update 40     signal     gradient norm 0.0342 +- 0.0012"`);
  });

  it("tell an operator's command, what became of it, and a stop", () => {
    const commanded = (id: string, verb: "unfreeze" | "stop") =>
      ({ type: "operator/requested", id, who: "wolf", request: { verb } }) as const;
    const run = simulateRun({
      outside: [
        { at: 30, event: commanded("1", "unfreeze") },
        { at: 60, event: commanded("2", "stop") },
      ],
    });
    expect(
      linesOf(run)
        .filter((line) => /operator|decision|run {2}/.test(line))
        .join("\n"),
    ).toMatchInlineSnapshot(`
      "12:00:00               run        quickstart-2026-11-23-120000: resnet18 width 8 on mnist, batch 64, lr 0.01 linear_tail (paper: constant), seed 0
      12:00:00               run        signals every 10 updates, of the trainable parameters, over 512 training examples in batches of 256; tr(F): labels sampled from the model, per example
      12:00:00               run        controller: process 4700 on node-3
      12:00:06               operator   wolf: unfreeze
      12:00:07 update 33     decision   k = 33: decided by the operator
      12:00:07 update 33     decision   unfroze layer4 before update 33
      12:00:07 update 33     operator   done before update 33
      12:00:08               operator   wolf: stop
      12:00:08 update 36     operator   done before update 36
      12:00:08 update 36     run        stopped: the operator stopped the run; its last checkpoint is at step 35"
    `);
  });

  it("tell when a late intervention froze what had trained, and what follows from there", () => {
    const config = quickstartConfig("train.updates=60", "intervention.start=21", "intervention.k=12");
    const decisions = linesOf(simulateRun({ config })).filter((line) => line.includes(" decision "));
    expect(`\n${decisions.join("\n")}\n`).toMatchInlineSnapshot(`
      "
      12:00:03               decision   k = 12: fixed in the configuration
      12:00:05 update 21     decision   froze layer4, layer3, layer2, layer1, stem before update 21
      12:00:06 update 32     decision   unfroze layer4 before update 32
      12:00:06 update 44     decision   unfroze layer3 before update 44
      12:00:07 update 56     decision   unfroze layer2 before update 56
      "
    `);
  });

  it("tell that the rate of a released block rises", () => {
    const config = quickstartConfig("train.updates=60", "intervention.k=30", "intervention.release_warmup=20");
    const decisions = linesOf(simulateRun({ config })).filter((line) => line.includes("unfroze"));
    expect(`\n${decisions.join("\n")}\n`).toMatchInlineSnapshot(`
      "
      12:00:05 update 30     decision   unfroze layer4 before update 30, learning rate times 1/20 there, rising over 20 updates
      12:00:07 update 60     decision   unfroze layer3 before update 60, learning rate times 1/20 there, rising over 20 updates
      "
    `);
  });

  it("tell why k came from k_max", () => {
    const config = quickstartConfig("train.updates=60", "intervention.k_max=40");
    const lines = linesOf(simulateRun({ config }));
    expect(lines.find((line) => line.includes("k = 40"))).toMatchInlineSnapshot(
      `"12:00:07 update 40     decision   k = 40: k_max, because tr(F) has not stabilized (change 0.3 > 0.02 of its range, calm 0 of 3, noise 0.0061)"`,
    );
    expect(lines.find((line) => line.includes("warning"))).toMatchInlineSnapshot(
      `"12:00:07               warning    k = 40 is too long for layer3, layer2, layer1, stem: frozen to the end"`,
    );
  });

  it("show progress at most once in the time given, by the records' own clock", () => {
    const run = simulateRun();
    const times = linesOf(run, 20)
      .filter((line) => line.includes(" progress "))
      .map((line) => Date.parse(`2026-11-23T${line.slice(0, 8)}Z`) / 1000);
    expect(times.length).toBeGreaterThan(1);
    times.slice(1).forEach((time, index) => expect(time - times[index]!).toBeGreaterThanOrEqual(19));
    expect(linesOf(run, 20)).toEqual(linesOf(run, 20));
  });

  it("are one line each, whatever a worker writes", () => {
    const event = { type: "worker/logged", attempt: 1, body: { level: "error", text: "a\r\nb\u001b[2J" } } as const;
    const run = simulateRun({ outside: [{ at: 0, event }], until: (state) => state.progress.frontier >= 10 });
    const line = linesOf(run).find((text) => text.includes("error"));
    expect(line?.endsWith("error      a b\\u001b[2J")).toBe(true);
  });

  it("as JSON are the records themselves", () => {
    const [first] = simulateRun({ until: () => true }).records;
    expect(JSON.parse(jsonLine(first!))).toEqual(first);
  });
});
