import { expect, test } from "vitest";
import { awaitAnswer } from "../../src/inbox/await-answer.js";
import { writeRequestFile } from "../../src/inbox/write.js";
import type { OperatorRequest } from "../../src/core/events.js";
import { newRunFolder, runTiny, tinyConfig } from "../e2e/harness.js";

/** A run that is paused at its first signal and asked for `inTurn`, each once the one before has its answer. */
async function answersOf(inTurn: readonly OperatorRequest[]): Promise<string[]> {
  const runFolder = newRunFolder();
  const answers: string[] = [];
  async function askInTurn(): Promise<void> {
    for (const request of inTurn) {
      const id = writeRequestFile(runFolder, { term: 1, who: "test", request });
      answers.push(await awaitAnswer(runFolder, id, request).catch((error: Error) => error.message));
    }
  }
  const asking: Promise<void>[] = [];
  await runTiny(runFolder, tinyConfig("train.updates=60"), {
    onRecord: ({ event }) => {
      if (event.type === "worker/reachedBoundary" && event.body.update === 10 && asking.length === 0)
        asking.push(askInTurn());
    },
  });
  await Promise.all(asking);
  return answers;
}

test("what changes weights is answered while the run is paused, and does not keep its operator waiting", async () => {
  const answers = await answersOf([
    { verb: "pause" },
    { verb: "unfreeze" },
    { verb: "checkpoint", at: 50 },
    { verb: "checkpoint" },
    { verb: "continue" },
  ]);
  const accepted = "accepted, takes effect once the paused run goes on (`npx thawline control RUN continue`)";
  expect(answers).toEqual([
    expect.stringMatching(/^pause: in effect before update \d+$/),
    `unfreeze: ${accepted}`,
    `checkpoint: ${accepted}`,
    expect.stringMatching(/^checkpoint: in effect before update \d+$/),
    expect.stringMatching(/^continue: in effect before update \d+$/),
  ]);
});

test("no answer is waited for from a controller that has ended", async () => {
  const runFolder = newRunFolder();
  await runTiny(runFolder, tinyConfig("train.updates=10", "probe.until=1"));
  const request = { verb: "checkpoint" } as const;
  const id = writeRequestFile(runFolder, { term: 1, who: "test", request });
  await expect(awaitAnswer(runFolder, id, request)).rejects.toThrow(
    "the controller ended before `checkpoint` took effect",
  );
});
