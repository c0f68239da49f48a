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
  settle: PromiseWithResolvers<void>;
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
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
    const settle = withResolvers<void>();
    this.waiting.push({ send, settle });
    if (!this.sending) void this.drain();
    return settle.promise;
  }

  /** Rejects everything that waits. */
  close(): void {
    this.closed = true;
    for (const { settle } of this.waiting.splice(0)) settle.reject(closedError());
  }

  private async drain(): Promise<void> {
    this.sending = true;
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      await next.send().then(next.settle.resolve, next.settle.reject);
    }
    this.sending = false;
  }
}

function closedError(): TransportError {
  return new TransportError("closed", "the connection to the worker is closed");
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
