import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { eventsOf, removeRunFolders, runScripted, verdict } from "./misbehaving-run.js";

afterAll(removeRunFolders);

type Worker = readonly [string, ...string[]];

/** Each of these is restarted once, fails again, and then the run has failed with this sentence. */
const AFTER_ONE_RESTART =
  "failed, exit code 1, 2 attempts: the worker failed, after 1 restart without a newer checkpoint";

describe.concurrent("an attempt that dies", () => {
  test.each<[Worker, string]>([
    [["raises_before_ready.py"], "it exited with code 1 without closing before training"],
    [["aborts.py"], "it was ended by SIGABRT without closing, last seen at step 0"],
    [["exits_with_3.py"], "it exited with code 3 without closing, last seen at step 0"],
    [["exits_early.py"], "it exited with code 0 without closing, last seen at step 0"],
  ])("%s", async ([script], why) => {
    expect(verdict(await runScripted({ worker: [script] }))).toBe(`${AFTER_ONE_RESTART}: ${why}`);
  });

  test("is shown with the end of its output", async () => {
    const { state, runFolder } = await runScripted({
      worker: ["raises_before_ready.py"],
      overrides: ["supervision.max_restarts=0"],
    });
    const hint = state.end?.outcome === "failed" ? state.end.hint : "";
    const masked = hint.replaceAll(/File ".*\/(\w+\.py)", line \d+/g, "$1");
    expect(masked).toMatchInlineSnapshot(`
      "the end of \`worker.log\`:
      Traceback (most recent call last):
        raises_before_ready.py, in <module>
          RaisesBeforeReady.main()
        scripted_worker.py, in main
          worker.run()
        scripted_worker.py, in run
          self.prepare()
        raises_before_ready.py, in prepare
          raise RuntimeError("no such layer")
      RuntimeError: no such layer"
    `);
    expect(hint).toContain(readFileSync(join(runFolder, "worker.log"), "utf8").trimEnd());
  });

  test("once is restarted from its checkpoint, and the run goes on", async () => {
    const { records, results, ...end } = await runScripted({ worker: ["dies_once.py"] });
    expect(verdict({ results, ...end })).toBe("finished, exit code 0, 2 attempts");
    expect(results.updates).toBe(12);
    expect(eventsOf(records, "worker/prepared").map(({ body }) => body.resumed_from)).toEqual([0, 5]);
  });

  test("leaves no child behind, even one that ignores signals", async () => {
    expect(verdict(await runScripted({ worker: ["leaves_grandchild.py"] }))).toBe("finished, exit code 0, 1 attempt");
  });
});

describe.concurrent("an attempt that says how it failed", () => {
  test.each([
    ["user", "failed, exit code 2, 1 attempt: a fault of the user"],
    ["code", "failed, exit code 1, 1 attempt: a fault of the code"],
    ["environment", "finished, exit code 0, 2 attempts"],
  ])("by a fault of the %s", async (fault, expected) => {
    expect(verdict(await runScripted({ worker: ["reports_faults.py", fault] }))).toBe(expected);
  });

  test("because its loss is not finite keeps its last checkpoint", async () => {
    const { state, ...end } = await runScripted({ worker: ["diverges.py"] });
    expect(verdict({ state, ...end })).toBe(
      "failed, exit code 1, 1 attempt: the loss became inf at update 8 (learning rate 0.1)",
    );
    expect(state.end).toMatchObject({ code: "non_finite_loss" });
    expect(state.weights.checkpoints.map(({ step }) => step)).toEqual([5]);
  });
});

describe.concurrent("an attempt that does not get on", () => {
  test.each<[Worker, string, string, string]>([
    [["never_connects.py"], "connect_seconds", "connect", "it did not connect within 0.5 s"],
    [["never_ready.py"], "ready_seconds", "ready", "it was not ready to train within 0.5 s"],
    [["hangs.py"], "progress_seconds", "progress", "it made no progress within 0.5 s"],
    [["never_stops.py"], "stop_grace_seconds", "stop", "it did not stop within 0.5 s"],
  ])("%s is ended by its clock", async ([script], setting, clock, why) => {
    const run = await runScripted({ worker: [script], overrides: [`supervision.${setting}=0.5`] });
    expect(verdict(run)).toBe(`${AFTER_ONE_RESTART}: ${why}`);
    expect(eventsOf(run.records, "attempt/timedOut").map((event) => event.clock)).toEqual([clock, clock]);
  });

  test("after it has closed is ended, and the run has finished", async () => {
    const run = await runScripted({ worker: ["never_exits.py"], overrides: ["supervision.stop_grace_seconds=0.5"] });
    expect(verdict(run)).toBe("finished, exit code 0, 1 attempt");
    expect(eventsOf(run.records, "attempt/timedOut").map((event) => event.clock)).toEqual(["stop"]);
    expect(eventsOf(run.records, "attempt/exited").map((event) => event.signal)).toEqual(["SIGKILL"]);
  });

  test("for a while only is shown as such", async () => {
    const overrides = ["supervision.link_silent_seconds=0.5", "supervision.progress_warn_seconds=0.5"];
    const run = await runScripted({ worker: ["falls_silent.py"], overrides });
    expect(verdict(run)).toBe("finished, exit code 0, 1 attempt");
    const quiet = eventsOf(run.records, "attempt/quiet").map((event) => event.what);
    expect([...new Set(quiet)].sort()).toEqual(["link", "work"]);
  });

  test("fast is not ended as long as it gets on", async () => {
    const run = await runScripted({ worker: ["slow.py"], overrides: ["supervision.progress_seconds=1.5"] });
    expect(verdict(run)).toBe("finished, exit code 0, 1 attempt");
    expect(eventsOf(run.records, "attempt/timedOut")).toEqual([]);
  });

  test("because the operator paused the run may take its time", async () => {
    const run = await runScripted({
      worker: ["scripted_worker.py"],
      overrides: ["supervision.progress_seconds=3"],
      pause: { attempt: 1, act: () => sleep(7000) },
    });
    expect(verdict(run)).toBe("finished, exit code 0, 1 attempt");
    expect(eventsOf(run.records, "operator/requested").map((event) => event.request.verb)).toEqual([
      "pause",
      "continue",
    ]);
    expect(eventsOf(run.records, "attempt/timedOut")).toEqual([]);
  });
});

describe.concurrent("an attempt that breaks lockstep", () => {
  test.each<[Worker, string]>([
    [["overruns.py"], "it overran its grant: it stands before update 8, the grant ended before 6"],
    [["goes_back.py"], "it went back from boundary 5 to 2"],
    [["stops_short.py"], "it stopped before update 2, but nobody recalled it"],
    [["lies_in_applied.py"], "it applied 11 trainable parameters before update 1 instead of 10 before update 1"],
    [["skips_orders.py"], "it did not write the checkpoint that was ordered before update 6"],
    [["closes_early.py"], "it closed as finished after 2 updates, before its end"],
    [["stops_unasked.py"], "it closed as stopped after 2 updates, but nobody stopped it"],
  ])("%s", async ([script], why) => {
    expect(verdict(await runScripted({ worker: [script] }))).toBe(`${AFTER_ONE_RESTART}: ${why}`);
  });

  test("by its progress reports", async () => {
    const seen = verdict(await runScripted({ worker: ["overruns_in_progress.py"] }));
    expect(seen.replace(/\d+ updates$/, "N updates")).toBe(
      `${AFTER_ONE_RESTART}: it overran its grant: it has completed N updates`,
    );
  });

  test("by resuming from elsewhere", async () => {
    const run = await runScripted({ worker: ["forgets_checkpoint.py"] });
    expect(verdict(run)).toBe(`${AFTER_ONE_RESTART}: it resumed from step 0 instead of 5`);
  });

  test("after it has closed as it should has finished", async () => {
    expect(verdict(await runScripted({ worker: ["talks_after_closing.py"] }))).toBe("finished, exit code 0, 1 attempt");
  });
});

describe.concurrent("an attempt that breaks the protocol", () => {
  test.each([
    ["bytes", "it broke the protocol: $: expected a map"],
    ["bomb", "it broke the protocol: $.a: an array of 4294967295 elements (limit 1024)"],
    ["tag", "it broke the protocol: the first frame is not a thawline tag"],
    ["frames", "it broke the protocol: a message of 3 frames (expected 2)"],
    ["gap", "it broke the protocol: $.seq: 5 after 1"],
    ["session", "it broke the protocol: $.session: the worker's session changed"],
    ["attempt", "it broke the protocol: $.attempt: 3, expected 2"],
  ])("by its %s", async (garbage, why) => {
    expect(verdict(await runScripted({ worker: ["sends_garbage.py", garbage] }))).toBe(`${AFTER_ONE_RESTART}: ${why}`);
  });

  test("by a frame over the limit loses its connection", async () => {
    const run = await runScripted({
      worker: ["sends_garbage.py", "oversize"],
      overrides: ["supervision.ready_seconds=2"],
    });
    // Whether the welcome still meets the connection is a race that libzmq decides.
    const reasons = ["it cannot be reached: the worker's connection is gone", "it was not ready to train within 2 s"];
    expect(reasons.map((why) => `${AFTER_ONE_RESTART}: ${why}`)).toContain(verdict(run));
  });

  test("by another major version of it is not started again", async () => {
    const run = await runScripted({ worker: ["other_protocol.py"] });
    expect(verdict(run)).toBe("failed, exit code 2, 1 attempt: the worker speaks protocol 2.5, this controller 1.0");
    expect(run.state.end).toMatchObject({ hint: "install the same version of thawline for Node and for Python" });
  });
});

describe.concurrent("numbers and noise", () => {
  test("a signal that is not finite is journaled, and the detector passes over it", async () => {
    const overrides = ["intervention.k=online", "intervention.k_max=10", "probe.every=2"];
    const { state, records, ...end } = await runScripted({ worker: ["non_finite_signal.py"], overrides });
    expect(verdict({ state, ...end })).toBe("finished, exit code 0, 1 attempt");
    const values = state.signal.series["probe/fisher_trace"]?.map(({ update, value }) => [update, value]);
    expect(values?.slice(0, 4)).toEqual([
      [1, { non_finite: "nan" }],
      [2, { non_finite: "inf" }],
      [4, { non_finite: "-inf" }],
      [6, 1 / 6],
    ]);
    const ignored = records.flatMap(({ decisions = [] }) => decisions.filter(({ type }) => type === "signal/ignored"));
    expect(ignored).toHaveLength(3);
  });

  test("a flood of messages does not hold up the run, and progress stays rare in the journal", async () => {
    const run = await runScripted({ worker: ["floods.py"] });
    expect(verdict(run)).toBe("finished, exit code 0, 1 attempt");
    // Once a second, in a test that may take thirty.
    expect(eventsOf(run.records, "worker/progressed").length).toBeLessThan(32);
  });
});
