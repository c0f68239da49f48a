import { randomUUID } from "node:crypto";
import { Context, Router } from "zeromq";
import { announcedVersion, decodeMessage, encodeMessage, ProtocolError } from "../protocol/codec.js";
import { LIMITS } from "../protocol/limits.js";
import type { Body, ControllerKind, Message, MessageKind, WorkerKind } from "../protocol/messages.js";
import { PROTOCOL_VERSION } from "../protocol/version.js";
import { Authentication, type KeyPair } from "./authentication.js";
import { BACKLOG, Connections, HANDSHAKE_MILLISECONDS } from "./connections.js";
import { OutboundQueue, TransportError } from "./outbound-queue.js";
import { RateLimit } from "./rate-limit.js";
import { SocketFolder } from "./socket-folder.js";
import type { RouterOptions, WorkerRouter } from "./worker-router.js";

/** CURVE makes a frame 33 bytes longer than what it carries, and libzmq compares the limit with the longer one. */
const CURVE_OVERHEAD_BYTES = 64;
/**
 * More than a worker ever has under way: libzmq drops what lies unread in a Unix socket whose other end closes while
 * its own queue is full, so the queue must not fill.
 */
const RECEIVE_QUEUE_LENGTH = 100_000;
const DROPPED_EVERY_MILLISECONDS = 10_000;

/** The attempt that may connect, and the session it has said hello with. */
interface Attempt {
  number: number;
  /** Also the worker's routing id: a connection's key cannot be read here, but nobody else knows this one. */
  publicKey: string;
  session: string | null;
  seqReceived: number;
  seqSent: number;
  lastHeardAt: number | null;
  awaitsPong: boolean;
  broken: boolean;
}

/**
 * Opens the socket that workers of `run` connect to: a Unix socket that no other user can reach.
 *
 * @throws UserError `no_socket_folder`
 */
export async function openRouter(options: RouterOptions): Promise<WorkerRouter> {
  const folder = SocketFolder.make();
  const context = new Context();
  const dropped = new RateLimit(DROPPED_EVERY_MILLISECONDS, (reason, suppressed) => {
    options.onEvent({ type: "dropped", reason, suppressed });
  });
  const authentication = await Authentication.open(context, (reason) => dropped.report(reason));
  const socket = new Router({
    context,
    ...authentication.serverOptions,
    mandatory: true,
    sendTimeout: 0,
    linger: 0,
    maxMessageSize: LIMITS.frameBytes + CURVE_OVERHEAD_BYTES,
    handshakeInterval: HANDSHAKE_MILLISECONDS,
    backlog: BACKLOG,
    receiveHighWaterMark: RECEIVE_QUEUE_LENGTH,
  });
  await socket.bind(folder.endpoint);
  const connections = new Connections(socket, folder, (reason) => dropped.report(reason), options.onFault);
  return new ZeromqRouter(folder.endpoint, { socket, authentication, connections, dropped }, options);
}

interface Parts {
  readonly socket: Router;
  readonly authentication: Authentication;
  readonly connections: Connections;
  readonly dropped: RateLimit;
}

class ZeromqRouter implements WorkerRouter {
  readonly serverPublicKey: string;
  private readonly socket: Router;
  private readonly authentication: Authentication;
  private readonly connections: Connections;
  private readonly dropped: RateLimit;
  private readonly session = randomUUID();
  private readonly outbound: OutboundQueue;
  private readonly pings: NodeJS.Timeout;
  private attempt: Attempt | null = null;
  private closed = false;

  constructor(
    readonly endpoint: string,
    parts: Parts,
    private readonly options: RouterOptions,
  ) {
    ({
      socket: this.socket,
      authentication: this.authentication,
      connections: this.connections,
      dropped: this.dropped,
    } = parts);
    this.serverPublicKey = parts.authentication.serverPublicKey;
    this.outbound = new OutboundQueue(options.queueLimit);
    this.pings = setInterval(() => this.ping(), options.pingMilliseconds).unref();
    this.receive().catch(options.onFault);
  }

  admit(number: number): KeyPair {
    if (this.attempt !== null) this.expel(this.attempt.number);
    const keys = this.authentication.allowNewKey();
    const unheard = { session: null, seqReceived: 0, seqSent: 0, lastHeardAt: null, awaitsPong: false, broken: false };
    this.attempt = { number, publicKey: keys.publicKey, ...unheard };
    this.connections.expect();
    return keys;
  }

  expel(number: number): void {
    if (this.attempt?.number !== number) return;
    this.authentication.revoke(this.attempt.publicKey);
    this.attempt = null;
    this.connections.dismiss();
  }

  async send<K extends ControllerKind>(kind: K, body: Body<K>, options: { replyTo?: number } = {}): Promise<void> {
    const attempt = this.attempt;
    if (attempt?.session == null) throw notConnected();
    await this.outbound.push(async () => {
      if (attempt !== this.attempt) throw notConnected();
      await this.handOver(attempt.publicKey, attempt.number, attempt.seqSent + 1, kind, body, options.replyTo);
      attempt.seqSent += 1;
    });
  }

  lastHeardAt(): number | null {
    return this.attempt?.lastHeardAt ?? null;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.pings);
    this.outbound.close();
    this.socket.close();
    this.authentication.close();
    this.connections.close();
  }

  private async receive(): Promise<void> {
    for (;;) {
      let frames: Buffer[];
      try {
        frames = await this.socket.receive();
      } catch (error) {
        if (this.closed) return;
        throw error;
      }
      const [routingId = Buffer.alloc(0), ...rest] = frames;
      this.accept(routingId, rest);
    }
  }

  private accept(routingId: Buffer, frames: Buffer[]): void {
    const attempt = this.attempt;
    if (attempt?.session === null && !attempt.broken && this.rejectsVersion(attempt, routingId, frames)) return;
    if (attempt?.publicKey !== routingId.toString("latin1")) {
      this.dropped.report("a message from a peer that is not the current attempt's worker");
      return;
    }
    if (attempt.broken) return;
    try {
      this.acceptFromWorker(attempt, decodeMessage(frames, "worker") as Message<WorkerKind>);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      attempt.broken = true;
      this.options.onEvent({ type: "violation", reason: error.message });
    }
  }

  private acceptFromWorker(attempt: Attempt, message: Message<WorkerKind>): void {
    checkOrder(this.options.run, attempt, message);
    if (attempt.session === null) this.connections.settle();
    attempt.session = message.session;
    attempt.seqReceived = message.seq;
    attempt.lastHeardAt = performance.now();
    switch (message.kind) {
      case "ping":
        // A worker that has gone since needs no answer.
        this.send("pong", {}, { replyTo: message.seq }).catch(() => undefined);
        return;
      case "pong":
        attempt.awaitsPong = false;
        return;
      default:
        this.options.onEvent({ type: "message", message });
    }
  }

  /** Whether the frames are a hello of another major version; its sender is told so. */
  private rejectsVersion(attempt: Attempt, routingId: Buffer, frames: Buffer[]): boolean {
    const theirs = announcedVersion(frames);
    if (theirs === null || theirs.major === PROTOCOL_VERSION.major) return false;
    const reason = `the worker speaks protocol ${theirs.major}, this controller protocol ${PROTOCOL_VERSION.major}`;
    const body = {
      code: "incompatible_protocol",
      message: reason,
      hint: "install the same version of thawline for Node and for Python",
    };
    attempt.broken = true;
    this.outbound
      .push(() => this.handOver(routingId, attempt.number, 1, "reject", body))
      .catch(() => this.dropped.report("a peer of another protocol version left before it could be told"));
    this.options.onEvent({ type: "incompatible", theirs, reason });
    return true;
  }

  private ping(): void {
    const attempt = this.attempt;
    // One unanswered ping says as much as a hundred, and a stopped worker's queue does not fill with them.
    if (attempt?.session == null || attempt.broken || attempt.awaitsPong) return;
    attempt.awaitsPong = true;
    this.send("ping", {}).catch(() => {
      attempt.awaitsPong = false;
    });
  }

  private async handOver<K extends MessageKind>(
    routingId: Buffer | string,
    attempt: number,
    seq: number,
    kind: K,
    body: Body<K>,
    replyTo?: number,
  ): Promise<void> {
    const envelope = { kind, run: this.options.run, attempt, session: this.session, seq, body };
    const frames = encodeMessage((replyTo === undefined ? envelope : { ...envelope, reply_to: replyTo }) as Message);
    try {
      await this.socket.send([routingId, ...frames]);
    } catch (error) {
      throw sendError(error as NodeJS.ErrnoException);
    }
  }
}

function checkOrder(run: string, attempt: Attempt, message: Message<WorkerKind>): void {
  const fail = (reason: string) => {
    throw new ProtocolError("order", reason);
  };
  if (message.run !== run) fail(`$.run: a message for run ${message.run}, expected ${run}`);
  if (message.attempt !== attempt.number) fail(`$.attempt: ${message.attempt}, expected ${attempt.number}`);
  if (message.seq !== attempt.seqReceived + 1) fail(`$.seq: ${message.seq} after ${attempt.seqReceived}`);
  if (attempt.session !== null && message.session !== attempt.session) fail("$.session: the worker's session changed");
  if ((message.kind === "hello") !== (attempt.session === null)) {
    fail(`$.kind: \`${message.kind}\` ${message.kind === "hello" ? "a second time" : "before `hello`"}`);
  }
  if (message.kind === "hello" && message.body.attempt !== attempt.number) {
    fail(`$.body.attempt: ${message.body.attempt}, expected ${attempt.number}`);
  }
}

function notConnected(): TransportError {
  return new TransportError("not_connected", "no worker is connected");
}

function sendError(error: NodeJS.ErrnoException): TransportError {
  if (error.code === "EHOSTUNREACH")
    return new TransportError("not_connected", "the worker's connection is gone", error);
  if (error.code === "EAGAIN") return new TransportError("not_reading", "the worker does not read its messages", error);
  return new TransportError("closed", `the message could not be sent: ${error.message}`, error);
}
