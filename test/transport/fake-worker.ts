import { Dealer } from "zeromq";
import { encodeMessage } from "../../src/protocol/codec.js";
import type { Message, WorkerKind } from "../../src/protocol/messages.js";
import { PROTOCOL_VERSION } from "../../src/protocol/version.js";
import type { KeyPair } from "../../src/transport/authentication.js";
import type { RouterEvent, WorkerRouter } from "../../src/transport/worker-router.js";

export const RUN = "run-1";

/** A DEALER as a worker's, without its manners: what it sends is up to the test. */
export function connect(
  router: Pick<WorkerRouter, "endpoint" | "serverPublicKey">,
  keys: KeyPair,
  options: { routingId?: string; receiveHighWaterMark?: number } = {},
) {
  const dealer = new Dealer({
    routingId: keys.publicKey,
    curveServerKey: router.serverPublicKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
    linger: 0,
    reconnectInterval: 50,
    ...options,
  });
  dealer.connect(router.endpoint);
  return dealer;
}

/** Sends if anybody listens: a stranger that was turned away before it could speak would wait for ever. */
export async function trySend(stranger: Dealer, message: [Buffer, Buffer]): Promise<void> {
  stranger.sendTimeout = 500;
  await stranger.send(message).catch(() => undefined);
}

export function frames<K extends WorkerKind>(
  kind: K,
  body: Extract<Message, { kind: K }>["body"],
  envelope: Partial<Omit<Message, "kind" | "body">> = {},
): [Buffer, Buffer] {
  return encodeMessage({ run: RUN, attempt: 1, session: "s", seq: 1, ...envelope, kind, body } as Message);
}

export function hello(envelope: Partial<Omit<Message, "kind" | "body">> = {}): [Buffer, Buffer] {
  const body = { protocol: PROTOCOL_VERSION, pid: 4711, host: "here", attempt: envelope.attempt ?? 1, versions: {} };
  return frames("hello", body, envelope);
}

export function log(seq: number, text = "a line", envelope: Partial<Omit<Message, "kind" | "body">> = {}) {
  return frames("log", { level: "info", text }, { seq, ...envelope });
}

/** Collects a router's events; `next` waits for one that fits. */
export class Events {
  readonly all: RouterEvent[] = [];
  private waiting: (() => void)[] = [];

  readonly onEvent = (event: RouterEvent): void => {
    this.all.push(event);
    for (const wake of this.waiting.splice(0)) wake();
  };

  async next<T extends RouterEvent["type"]>(type: T, count = 1): Promise<Extract<RouterEvent, { type: T }>> {
    for (;;) {
      const found = this.of(type)[count - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  of<T extends RouterEvent["type"]>(type: T): Extract<RouterEvent, { type: T }>[] {
    return this.all.filter((event): event is Extract<RouterEvent, { type: T }> => event.type === type);
  }
}
