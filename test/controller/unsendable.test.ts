import { readFileSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import type { Dealer } from "zeromq";
import type { RunConfig } from "../../src/config/attached.js";
import { BugError } from "../../src/errors.js";
import { openRouter } from "../../src/transport/router.js";
import { simulatedConfig } from "../support/simulated-run.js";
import { connect, frames } from "../transport/fake-worker.js";
import { TermUnderTest } from "./term-under-test.js";

let term: TermUnderTest;
let dealer: Dealer;
afterEach(async () => {
  dealer.close();
  await term.dispose();
});

it("a welcome beyond the limits of a frame ends the run as our fault, over a real socket", async () => {
  // No configuration gets here: it is refused before there is a run. A fault of ours might.
  const tests = Array.from({ length: 1100 }, (_, index) => ({ name: `set ${index}` }));
  const config = { ...simulatedConfig(), data: { tests } } as unknown as RunConfig;
  term = new TermUnderTest(config, { openRouter });
  await term.ledger.until("journal attempt/launched");
  const keys = JSON.parse(readFileSync(term.launcher.requests[0]!.bootstrapPath, "utf8")) as Record<string, string>;
  dealer = connect(
    { endpoint: keys["endpoint"]!, serverPublicKey: keys["server_key"]! },
    { publicKey: keys["public_key"]!, secretKey: keys["secret_key"]! },
  );
  const body = { protocol: { major: 1, minor: 0 }, pid: 4001, host: "here", attempt: 1, versions: {} };
  await dealer.send(frames("hello", body, { run: "r" }));
  const fault = await term.ended.catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(BugError);
  expect((fault as BugError).message).toBe(
    "the controller's own `welcome` breaks the protocol: $.body.config.data.tests: an array of 1100 elements (limit 1024)",
  );
  expect(term.journal.records.map(({ event }) => event.type)).toEqual([
    "run/created",
    "controller/started",
    "attempt/launched",
    "worker/connected",
    "controller/failed",
  ]);
  expect(term.launcher.requests).toHaveLength(1);
});
