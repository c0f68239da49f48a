import { expect, test } from "vitest";
import { writeRequestFile } from "../../src/inbox/write.js";
import type { OperatorRequest } from "../../src/core/events.js";
import type { State } from "../../src/core/state.js";
import type { JournalRecord } from "../../src/journal/format.js";
import { readJournal } from "../../src/journal/reader.js";
import { verifyJournal } from "../../src/journal/replay.js";
import { killAt, livingWorkers, newRunFolder, runTiny, tinyConfig } from "./harness.js";
import { factsOf } from "../support/worker-facts.js";

/** Blocks are unfrozen at 40, 80 and 120; from there on one long grant reaches to the end. */
const LONG_LAST_GRANT = ["intervention.k=40", "train.updates=159", "checkpoint.every=35"];
const LAST_RELEASE = 120;

function give(runFolder: string, request: OperatorRequest): string {
  return writeRequestFile(runFolder, { term: 1, who: "test", request });
}

/** The update in which an operator's request took effect, by the journal. */
async function effectOf(runFolder: string, id: string): Promise<number> {
  const { records } = await readJournal(runFolder);
  verifyJournal(records);
  const applied = records
    .flatMap(({ decisions = [] }) => decisions)
    .filter((d) => d.type === "operator/applied" && d.id === id);
  expect(applied).toHaveLength(1);
  return (applied[0] as { update: number }).update;
}

/** Calls `act` once, at the first record that fits. */
function once(fits: (record: JournalRecord, state: State) => boolean, act: () => void) {
  let done = false;
  return (record: JournalRecord, state: State): void => {
    if (done || !fits(record, state)) return;
    done = true;
    act();
  };
}

test("an unfreezing during the last long grant, then a kill: the same weights as undisturbed with the same request", async () => {
  const runFolder = newRunFolder();
  let id = "";
  const request = once(
    (_, state) => factsOf(state.attempt).update === LAST_RELEASE && state.attempt?.stage === "training",
    () => (id = give(runFolder, { verb: "unfreeze" })),
  );
  const kill = killAt(({ decisions = [] }) => decisions.some((decision) => decision.type === "operator/applied"));
  const disturbed = await runTiny(runFolder, tinyConfig(...LONG_LAST_GRANT), {
    onRecord: (record, state, killWorker) => {
      request(record, state);
      kill(record, state, killWorker);
    },
  });
  expect(disturbed.results).toMatchObject({ outcome: "finished", attempts: 2, left_frozen: ["stem"] });
  const at = await effectOf(runFolder, id);
  expect(at).toBeGreaterThan(LAST_RELEASE);

  const reference = newRunFolder();
  const undisturbed = await runTiny(reference, tinyConfig(...LONG_LAST_GRANT), {
    onRecord: once(
      ({ event }) => event.type === "worker/prepared",
      () => give(reference, { verb: "unfreeze", at }),
    ),
  });
  expect(undisturbed.results.attempts).toBe(1);
  expect(disturbed.results.weights_sha256).toBe(undisturbed.results.weights_sha256);
  await expect.poll(() => livingWorkers(runFolder)).toEqual([]);
});

test("pause, continue, checkpoint and evaluate change nothing; an unfreezing before the decision decides k", async () => {
  const runFolder = newRunFolder();
  const ids: string[] = [];
  const inTurn: OperatorRequest[] = [
    { verb: "pause" },
    { verb: "evaluate" },
    { verb: "checkpoint" },
    { verb: "continue" },
  ];
  const end = await runTiny(runFolder, tinyConfig(), {
    onRecord: ({ event, decisions = [] }, state) => {
      const started = event.type === "worker/reachedBoundary" && event.body.update === 10;
      const answered = decisions.some((decision) => decision.type === "operator/applied" && decision.id === ids.at(-1));
      if ((started || answered) && ids.length < inTurn.length) ids.push(give(runFolder, inTurn[ids.length]!));
      // While it is paused, nothing but what was ordered happens.
      if (ids.length > 1 && ids.length < 4 && event.type === "worker/reachedBoundary")
        expect(state.operator.paused).toBe(true);
    },
  });
  const updates = await Promise.all(ids.map((id) => effectOf(runFolder, id)));
  expect(new Set(updates).size).toBe(1);
  expect(end.state.scores.evaluations.map(({ step }) => step)).toEqual([updates[0]! - 1, 150]);

  const quiet = await runTiny(newRunFolder(), tinyConfig());
  expect(end.results.weights_sha256).toBe(quiet.results.weights_sha256);

  const early = newRunFolder();
  const byOperator = await runTiny(early, tinyConfig(), {
    onRecord: once(
      ({ event }) => event.type === "worker/prepared",
      () => give(early, { verb: "unfreeze", at: 33 }),
    ),
  });
  expect(byOperator.results.k).toMatchObject({ value: 33, source: "operator", decided_at_update: 33 });
  expect(byOperator.results.left_frozen).toEqual(["stem"]);
});

test("a learning-rate switch at the decision, and an operator's factor on top", async () => {
  const runFolder = newRunFolder();
  const rates = new Map<number, number>();
  const end = await runTiny(
    runFolder,
    tinyConfig("intervention.kind=learning_rate_switch", "intervention.k=20", "train.updates=40"),
    {
      onRecord: ({ event }) => {
        if (event.type === "worker/prepared") give(runFolder, { verb: "set-lr", factor: 0.5, at: 30 });
        if (event.type === "worker/applied") rates.set(event.body.update, event.body.learning_rates[0]!);
      },
    },
  );
  expect(end.results).toMatchObject({ outcome: "finished", k: { value: 20, source: "fixed" }, left_frozen: [] });
  // The rate of update 30 also stands in the linear tail, which begins at update 31.
  expect(Object.fromEntries([...rates].map(([update, rate]) => [update, rate.toPrecision(6)]))).toMatchObject({
    1: "0.00100000",
    20: "0.0100000",
    30: "0.00500000",
  });
});
