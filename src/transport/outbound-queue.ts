export type TransportErrorCode = "not_connected" | "not_reading" | "queue_full" | "closed";

/** A message did not leave; its sequence number was not used. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  constructor(
    readonly code: TransportErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

interface Waiting {
  send: () => Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** One send at a time, in order, and at most `limit` waiting: a second send on a zeromq.js socket throws EBUSY. */
export class OutboundQueue {
  private readonly waiting: Waiting[] = [];
  private sending = false;
  private closed = false;

  constructor(private readonly limit: number) {}

  /** Resolves when `send`, called in its turn, has resolved. */
  push(send: () => Promise<void>): Promise<void> {
    if (this.closed) return Promise.reject(closedError());
    if (this.waiting.length >= this.limit) {
      return Promise.reject(new TransportError("queue_full", `${this.limit} messages to the worker wait already`));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ send, resolve, reject });
      if (!this.sending) void this.drain();
    });
  }

  /** Rejects everything that waits. */
  close(): void {
    this.closed = true;
    for (const { reject } of this.waiting.splice(0)) reject(closedError());
  }

  private async drain(): Promise<void> {
    this.sending = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      await next.send().then(next.resolve, next.reject);
    }
    this.sending = false;
  }
}

function closedError(): TransportError {
  return new TransportError("closed", "the connection to the worker is closed");
}
