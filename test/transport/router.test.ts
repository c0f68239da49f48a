import { existsSync, statSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Dealer } from "zeromq";
import { decodeMessage } from "../../src/protocol/codec.js";
import { LIMITS } from "../../src/protocol/limits.js";
import { PROTOCOL_TAG } from "../../src/protocol/version.js";
import type { KeyPair } from "../../src/transport/authentication.js";
import { openRouter } from "../../src/transport/router.js";
import type { WorkerRouter } from "../../src/transport/worker-router.js";
import { write } from "../vectors/msgpack-writer.js";
import { connect, Events, frames, hello, log, RUN } from "./fake-worker.js";

function fail(error: unknown): never {
  throw error;
}

const tag = Buffer.from(PROTOCOL_TAG);
const reject = { code: "busy", message: "", hint: "" };
let router: WorkerRouter;
let events: Events;
let keys: KeyPair;
const opened: { close(): void }[] = [];

async function open(pingMilliseconds = 60_000): Promise<void> {
  events = new Events();
  router = await openRouter({ run: RUN, onEvent: events.onEvent, onFault: fail, pingMilliseconds, queueLimit: 16 });
  keys = router.admit(1);
  opened.push(router);
}

function worker(): Dealer {
  const dealer = connect(router, keys);
  opened.push(dealer);
  return dealer;
}

async function boundWorker(): Promise<Dealer> {
  const dealer = worker();
  await dealer.send(hello());
  await events.next("message");
  return dealer;
}

beforeEach(() => open());

afterEach(() => {
  for (const socket of opened.splice(0).reverse()) socket.close();
});

describe("a worker that keeps to the protocol", () => {
  test("its messages arrive in order, and the last one says when it was heard", async () => {
    const dealer = await boundWorker();
    const before = performance.now();
    for (let seq = 2; seq <= 100; seq++) await dealer.send(log(seq));
    await events.next("message", 100);
    const received = events.of("message");
    expect(received.map(({ message }) => message.seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(router.lastHeardAt()).toBeGreaterThan(before);
    expect(router.lastHeardAt()).toBeLessThanOrEqual(performance.now());
  });

  test("concurrent sends arrive in order and without a gap", async () => {
    const dealer = await boundWorker();
    await Promise.all(Array.from({ length: 10 }, () => router.send("recall", {})));
    const seqs: number[] = [];
    while (seqs.length < 10) seqs.push(decodeMessage(await dealer.receive(), "controller").seq);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("an invalid body is refused before it is sent, and leaves no gap", async () => {
    const dealer = await boundWorker();
    const grant = { until: 0, trainable: [], learning_rate_factor: 1, orders: [], probe: [] };
    await expect(router.send("grant", grant)).rejects.toThrow("$.body.until: ");
    await router.send("recall", {}, { replyTo: 1 });
    expect(decodeMessage(await dealer.receive())).toMatchObject({ kind: "recall", seq: 1, reply_to: 1 });
  });

  test("a frame of the largest size passes", async () => {
    const dealer = await boundWorker();
    const [, map] = frames("closed", failed("x".repeat(16_000)), { seq: 2 });
    expect(map.length).toBeGreaterThan(48_000);
    await dealer.send([tag, map]);
    expect((await events.next("message", 2)).message.kind).toBe("closed");
  });

  test("its pings are answered, ours are not repeated before it answers, and nobody hears of either", async () => {
    router.close();
    await open(20);
    const dealer = await boundWorker();
    const boundAt = router.lastHeardAt() ?? 0;
    await sleep(100);
    await dealer.send(frames("ping", {}, { seq: 2 }));
    const received = [decodeMessage(await dealer.receive()), decodeMessage(await dealer.receive())];
    expect(received.map(({ kind, reply_to }) => [kind, reply_to])).toEqual([
      ["ping", undefined],
      ["pong", 2],
    ]);
    await dealer.send(frames("pong", {}, { seq: 3, reply_to: 1 }));
    expect(decodeMessage(await dealer.receive())).toMatchObject({ kind: "ping", seq: 3 });
    expect(router.lastHeardAt()).toBeGreaterThan(boundAt);
    expect(events.all).toHaveLength(1);
  });
});

describe("a worker that breaks the protocol", () => {
  const bomb = Buffer.concat([Buffer.from("81a161", "hex"), Buffer.from("ddffffffff".repeat(20), "hex")]);

  test.each<[string, Buffer[], string]>([
    ["a gap", log(3), "$.seq: 3 after 1"],
    ["a repetition", log(1), "$.seq: 1 after 1"],
    ["a second hello", hello({ seq: 2 }), "$.kind: `hello` a second time"],
    ["another run", log(2, "", { run: "run-2" }), "$.run: "],
    ["another attempt", log(2, "", { attempt: 2 }), "$.attempt: 2, expected 1"],
    ["another session", log(2, "", { session: "t" }), "$.session: "],
    ["a kind that only controllers send", [tag, write(envelope("recall", {}))], "$.kind: a worker never sends"],
    ["a body that is wrong", [tag, write(envelope("log", { level: "info" }))], "$.body.text: "],
    ["an array bomb", [tag, bomb], "$.a: an array of 4294967295 elements"],
    ["three frames", [tag, bomb, bomb], "a message of 3 frames"],
    ["no tag", [bomb], "a message of 1 frames"],
  ])("%s is a violation, and what follows is ignored", async (_, message, reason) => {
    const dealer = await boundWorker();
    await dealer.send(message);
    expect((await events.next("violation")).reason).toContain(reason);
    await dealer.send(log(2));
    await dealer.send([bomb]);
    await sleep(50);
    expect(events.all.map(({ type }) => type)).toEqual(["message", "violation"]);
  });

  test("anything before hello is a violation", async () => {
    await worker().send(log(1));
    expect((await events.next("violation")).reason).toBe("$.kind: `log` before `hello`");
  });

  test("a frame over the limit ends its connection, and does not arrive", async () => {
    const dealer = await boundWorker();
    const disconnected = new Promise((resolve) => dealer.events.on("disconnect", resolve));
    await dealer.send([tag, Buffer.alloc(LIMITS.frameBytes + 1_000)]);
    await disconnected;
    expect(events.of("message")).toHaveLength(1);
  });
});

test("a second hello for the attempt from another routing id is dropped", async () => {
  const second = connect(router, keys, { routingId: "another" });
  opened.push(second);
  await second.send(hello());
  await boundWorker();
  expect((await events.next("dropped")).suppressed).toBe(0);
  expect(events.of("message")).toHaveLength(1);
});

test("a flood from a stranger is reported once", async () => {
  const stranger = connect(router, keys, { routingId: "another" });
  opened.push(stranger);
  await stranger.send([tag, Buffer.alloc(100)]);
  const dealer = await boundWorker();
  for (let index = 0; index < 500; index++) await stranger.send([tag, Buffer.alloc(100)]);
  await events.next("dropped");
  await dealer.send(log(2));
  await events.next("message", 2);
  expect(events.of("dropped")).toHaveLength(1);
});

describe("a worker of another major version", () => {
  test.each<[string, Buffer[], number]>([
    ["by its hello", [tag, write(envelope("hello", { protocol: { major: 7, minor: 3, patch: 1 } }, 1))], 7],
    ["by its tag", [Buffer.from("THAW2"), Buffer.from("anything")], 2],
  ])("is told so: %s", async (_, message, major) => {
    const dealer = worker();
    await dealer.send(message);
    const { theirs, reason } = await events.next("incompatible");
    expect(theirs.major).toBe(major);
    expect(reason).toBe(`the worker speaks protocol ${major}, this controller protocol 1`);
    expect(decodeMessage(await dealer.receive(), "controller")).toMatchObject({
      kind: "reject",
      body: { code: "incompatible_protocol", message: reason },
    });
    await dealer.send(message);
    await sleep(50);
    expect(events.all).toHaveLength(1);
  });
});

describe("sending", () => {
  test("fails at once while nobody is connected, and after the worker has gone", async () => {
    await expect(router.send("recall", {})).rejects.toMatchObject({ code: "not_connected" });
    const dealer = await boundWorker();
    dealer.close();
    await expect(sendUntilRefused()).resolves.toMatchObject({ code: "not_connected" });
    expect(router.lastHeardAt()).not.toBeNull();
  });

  test("to a worker that does not read fails without holding up what comes in", async () => {
    const dealer = connect(router, keys, { receiveHighWaterMark: 1 });
    opened.push(dealer);
    await dealer.send(hello());
    await events.next("message");
    const refused = await sendUntilRefused("x".repeat(16_000));
    expect(refused).toMatchObject({ code: "not_reading" });
    await dealer.send(log(2));
    expect((await events.next("message", 2)).message.seq).toBe(2);
    // What was refused has left no gap: the worker can read on.
    for (let seq = 1; seq <= 3; seq++) expect(decodeMessage(await dealer.receive()).seq).toBe(seq);
  });

  test("more than the queue holds is refused", async () => {
    await boundWorker();
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => router.send("recall", {})));
    const refused = results.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { code: "queue_full" } });
  });

  async function sendUntilRefused(hint = ""): Promise<unknown> {
    for (;;) {
      try {
        await router.send("reject", { ...reject, hint });
        await sleep(0);
      } catch (error) {
        return error;
      }
    }
  }
});

test("nobody can connect to a router that expects no worker, nor once its worker has come", async () => {
  const reach = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectSocket(router.endpoint.replace("ipc://", ""));
      socket.once("connect", () => resolve("connected")).once("error", ({ message }) => resolve(message));
      opened.push({ close: () => socket.destroy() });
    });
  expect(await reach()).toBe("connected");
  await boundWorker();
  expect(await reach()).toMatch(/ENOENT/);
  router.expel(1);
  expect(await reach()).toMatch(/ENOENT/);
  router.admit(2);
  expect(await reach()).toBe("connected");
});

test("a flood of connections is shut out, told in one line, and leaves the worker what it needs", async () => {
  const path = router.endpoint.replace("ipc://", "");
  const flood = new Flood(path, 400);
  opened.push({ close: () => flood.end() });
  await events.next("dropped");
  await expect.poll(() => existsSync(path)).toBe(false);
  flood.end();
  await boundWorker();
  expect(events.of("dropped")).toHaveLength(1);
});

test("its folder is its owner's alone, and gone when it closes", () => {
  const folder = dirname(router.endpoint.replace("ipc://", ""));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  router.close();
  expect(existsSync(folder)).toBe(false);
});

test("closing settles what is pending, at once and more than once", async () => {
  await boundWorker();
  const pending = Promise.allSettled(Array.from({ length: 5 }, () => router.send("recall", {})));
  router.close();
  router.close();
  const results = await pending;
  expect(results.at(-1)).toMatchObject({ status: "rejected", reason: { code: "closed" } });
  await expect(router.send("recall", {})).rejects.toMatchObject({ code: "closed" });
});

/** So many peers that want in: the kernel refuses whoever comes while its queue is full, and they come again. */
class Flood {
  private readonly sockets = new Set<Socket>();
  private over = false;

  constructor(
    private readonly path: string,
    number: number,
  ) {
    for (let peer = 0; peer < number; peer += 1) this.come();
  }

  end(): void {
    this.over = true;
    for (const socket of this.sockets) socket.destroy();
  }

  private come(): void {
    if (this.over) return;
    const socket = connectSocket(this.path);
    this.sockets.add(socket);
    socket.on("error", () => {
      this.sockets.delete(socket);
      setTimeout(() => this.come(), 10);
    });
  }
}

function envelope(kind: string, body: Record<string, string | Record<string, number>>, seq = 2) {
  return { kind, run: RUN, attempt: 1, session: "s", seq, body };
}

function failed(text: string) {
  const texts = { code: "a", message: text, hint: text, traceback: text };
  return { outcome: "failed" as const, step: 1, fault: "code" as const, ...texts };
}
