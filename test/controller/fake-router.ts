import type { Body, ControllerKind, WorkerKind } from "../../src/protocol/messages.js";
import type { KeyPair } from "../../src/transport/authentication.js";
import type { RouterEvent, RouterOptions, WorkerRouter } from "../../src/transport/worker-router.js";
import type { Ledger } from "./ledger.js";

type WorkerMessage = Extract<RouterEvent, { type: "message" }>["message"];
type Sent = { [K in ControllerKind]: { readonly kind: K; readonly body: Body<K> } }[ControllerKind];

/** A line to a worker without a socket: what is sent is kept, and the test is the worker. */
export class FakeRouter implements WorkerRouter {
  readonly endpoint = "ipc:///run/thawline-abc/socket";
  readonly serverPublicKey = "s".repeat(40);
  readonly sent: Sent[] = [];
  heardAt: number | null = null;
  /** What `send` fails with from now on, if anything. */
  refusal: Error | null = null;
  private attempt = 0;
  private seq = 0;

  constructor(
    private readonly options: Pick<RouterOptions, "run" | "onEvent">,
    private readonly ledger: Ledger,
  ) {}

  admit(attempt: number): KeyPair {
    this.attempt = attempt;
    this.ledger.note(`admit ${attempt}`);
    return { publicKey: "p".repeat(40), secretKey: "k".repeat(40) };
  }

  expel(attempt: number): void {
    this.ledger.note(`expel ${attempt}`);
  }

  send<K extends ControllerKind>(kind: K, body: Body<K>): Promise<void> {
    if (this.refusal !== null) return Promise.reject(this.refusal);
    this.sent.push({ kind, body } as Sent);
    this.ledger.note(`send ${kind}`);
    return Promise.resolve();
  }

  lastHeardAt(): number | null {
    return this.heardAt;
  }

  close(): void {
    this.ledger.note("close the router");
  }

  /** The worker of the attempt that was admitted last says something. */
  say<K extends Exclude<WorkerKind, "ping" | "pong">>(kind: K, body: Body<K>, attempt = this.attempt): void {
    this.seq += 1;
    const message = { kind, run: this.options.run, attempt, session: "s", seq: this.seq, body };
    this.hear({ type: "message", message: message as unknown as WorkerMessage });
  }

  hear(event: RouterEvent): void {
    this.options.onEvent(event);
  }

  /** What was sent of one kind. */
  bodies<K extends ControllerKind>(kind: K): Body<K>[] {
    return this.sent.filter((one) => one.kind === kind).map(({ body }) => body as Body<K>);
  }
}
