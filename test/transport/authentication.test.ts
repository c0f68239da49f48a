import { mkdtempSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Context, curveKeyPair, Dealer, Router } from "zeromq";
import { decodeMessage } from "../../src/protocol/codec.js";
import { Authentication } from "../../src/transport/authentication.js";
import { openRouter } from "../../src/transport/router.js";
import type { WorkerRouter } from "../../src/transport/worker-router.js";
import { connect, Events, hello, trySend, RUN } from "./fake-worker.js";

function fail(error: unknown): never {
  throw error;
}

/** Long enough for a handshake on loopback; nothing may arrive within it. */
const QUIET_MILLISECONDS = 400;

let router: WorkerRouter;
let events: Events;
const opened: { close(): void }[] = [];

function keep<T extends { close(): void }>(socket: T): T {
  opened.push(socket);
  return socket;
}

beforeEach(async () => {
  events = new Events();
  router = keep(
    await openRouter({ run: RUN, onEvent: events.onEvent, onFault: fail, pingMilliseconds: 60_000, queueLimit: 16 }),
  );
});

afterEach(() => {
  for (const socket of opened.splice(0).reverse()) socket.close();
});

/** The router still serves its worker after whatever the test did to it. */
async function expectWorkerServed(keys = router.admit(9)): Promise<void> {
  const worker = keep(connect(router, keys));
  await worker.send(hello({ attempt: 9 }));
  expect((await events.next("message")).message).toMatchObject({ kind: "hello", attempt: 9 });
  await router.send("recall", {});
  expect(decodeMessage(await worker.receive(), "controller")).toMatchObject({ kind: "recall", seq: 1, attempt: 9 });
}

test("the attempt's key is let in, and both directions work", async () => {
  await expectWorkerServed();
  expect(events.of("dropped")).toEqual([]);
});

test.each<[string, () => Dealer]>([
  [
    "a random key",
    () => {
      router.admit(1);
      return connect(router, curveKeyPair());
    },
  ],
  [
    "the public key of the attempt with another secret",
    () => connect(router, { publicKey: router.admit(1).publicKey, secretKey: curveKeyPair().secretKey }),
  ],
  [
    "the key of an expelled attempt",
    () => {
      const keys = router.admit(1);
      router.expel(1);
      router.admit(2);
      return connect(router, keys);
    },
  ],
  [
    "the key of an earlier attempt",
    () => {
      const keys = router.admit(1);
      router.admit(2);
      return connect(router, keys);
    },
  ],
  ["no key", () => plain(new Dealer({ linger: 0 }))],
  ["user name and password", () => plain(new Dealer({ linger: 0, plainUsername: "admin", plainPassword: "admin" }))],
  [
    "the wrong server key",
    () => {
      const keys = router.admit(1);
      const { publicKey: curveServerKey } = curveKeyPair();
      return plain(
        new Dealer({ linger: 0, curveServerKey, curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey }),
      );
    },
  ],
])("%s gets nothing in", async (_, open) => {
  const stranger = keep(open());
  await trySend(stranger, hello());
  await sleep(QUIET_MILLISECONDS);
  expect(events.all.filter(({ type }) => type !== "dropped")).toEqual([]);
  await expectWorkerServed();
});

function plain(dealer: Dealer): Dealer {
  router.admit(8);
  dealer.connect(router.endpoint);
  return dealer;
}

test("a refused key is reported in one line", async () => {
  const keys = router.admit(1);
  router.expel(1);
  router.admit(2);
  keep(connect(router, keys));
  const { reason } = await events.next("dropped");
  expect(reason).toBe("a connection with a key that is not (or no longer) that of an attempt");
});

test("raw bytes get nothing in", async () => {
  const keys = router.admit(9);
  const greeting = Buffer.concat([Buffer.from("ff00000000000000017f03004e554c4c", "hex"), Buffer.alloc(48)]);
  for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(70_000, 0xff), greeting]) {
    const socket = connectSocket(router.endpoint.replace("ipc://", "")).on("error", () => undefined);
    keep({ close: () => socket.destroy() });
    socket.write(bytes);
  }
  await sleep(QUIET_MILLISECONDS);
  expect(events.all.filter(({ type }) => type !== "dropped")).toEqual([]);
  expect(events.of("dropped")).toHaveLength(1);
  await expectWorkerServed(keys);
});

test("an expelled attempt's live connection is dropped, and cannot pose as the next attempt", async () => {
  const worker = keep(connect(router, router.admit(1)));
  await worker.send(hello());
  await events.next("message");

  const next = router.admit(9);
  await worker.send(hello({ attempt: 9 }));
  expect((await events.next("dropped")).reason).toContain("not the current attempt's worker");
  await expect(router.send("recall", {})).rejects.toMatchObject({ code: "not_connected" });
  expect(events.of("message")).toHaveLength(1);

  const worker9 = keep(connect(router, next));
  await worker9.send(hello({ attempt: 9 }));
  expect((await events.next("message", 2)).message.attempt).toBe(9);
});

test("without a living handler nobody is let in", async () => {
  const context = new Context();
  const authentication = await Authentication.open(context, () => undefined);
  const keys = authentication.allowNewKey();
  const server = keep(new Router({ context, ...authentication.serverOptions, linger: 0, receiveTimeout: 500 }));
  await server.bind(`ipc://${join(mkdtempSync(join(tmpdir(), "socket-")), "socket")}`);
  authentication.close();

  const { serverPublicKey } = authentication;
  const worker = keep(connect({ endpoint: server.lastEndpoint ?? "", serverPublicKey }, keys));
  await trySend(worker, hello());
  await expect(server.receive()).rejects.toThrow();
});

test("two routers in one process keep their keys apart", async () => {
  const otherEvents = new Events();
  const options = { run: RUN, onEvent: otherEvents.onEvent, onFault: fail, pingMilliseconds: 60_000, queueLimit: 16 };
  const other = keep(await openRouter(options));
  const keysOfOther = other.admit(1);
  const intruder = keep(connect(router, keysOfOther));
  await trySend(intruder, hello());
  const worker = keep(connect(other, keysOfOther));
  await worker.send(hello());
  await otherEvents.next("message");
  await sleep(QUIET_MILLISECONDS);
  expect(events.of("message")).toEqual([]);
  await expectWorkerServed();
});
