import type { Body, ControllerKind, Message, WorkerKind } from "../protocol/messages.js";
import type { KeyPair } from "./authentication.js";

export type RouterEvent =
  /** Pings and pongs are answered inside. */
  | { type: "message"; message: Message<Exclude<WorkerKind, "ping" | "pong">> }
  /** The worker broke the protocol; what it sends after this is ignored, so its attempt must be ended. */
  | { type: "violation"; reason: string }
  /** The worker speaks another major version and was sent a `reject`. */
  | { type: "incompatible"; theirs: { major: number; minor: number }; reason: string }
  /** Something from a peer that is not the worker; `suppressed` like it went unreported since the last one. */
  | { type: "dropped"; reason: string; suppressed: number };

export interface RouterOptions {
  run: string;
  /** Never throws. */
  onEvent: (event: RouterEvent) => void;
  /** The socket itself failed, where nobody waits for it. */
  onFault: (error: unknown) => void;
  pingMilliseconds: number;
  /** Most messages that wait to be sent. */
  queueLimit: number;
}

/** The controller's end of the line to one worker at a time; `openRouter` opens one over ZeroMQ. */
export interface WorkerRouter {
  readonly endpoint: string;
  readonly serverPublicKey: string;
  /** A key pair for a new attempt, from now on the only one whose hello is accepted. */
  admit(attempt: number): KeyPair;
  /** Takes the attempt's key off the list and drops what its worker still sends; without effect for other attempts. */
  expel(attempt: number): void;
  /**
   * Resolves when the message is handed to the socket.
   *
   * @throws TransportError where no worker is connected, or it does not read; ProtocolError where `body` is wrong.
   */
  send<K extends ControllerKind>(kind: K, body: Body<K>, options?: { replyTo?: number }): Promise<void>;
  /** Monotonic milliseconds (performance.now) of the worker's last sign of life; null before its hello. */
  lastHeardAt(): number | null;
  close(): void;
}
