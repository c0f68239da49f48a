import { closeSync, openSync } from "node:fs";
import type { EventType, Router } from "zeromq";
import type { SocketFolder } from "./socket-folder.js";

/** A peer that has not proved its key by then is let go. */
export const HANDSHAKE_MILLISECONDS = 10_000;

/** Connections that the kernel may hold ready while nobody else is let in. */
export const BACKLOG = 16;

/** One is the worker's. Whoever opens this many wants to hinder it. */
const MOST_CONNECTIONS = 64;

/** File descriptors kept for the controller's own files; more than `BACKLOG`, which is still accepted at a shut door. */
const RESERVED_DESCRIPTORS = 32;

/**
 * Who may connect to the controller's socket, and when: only while a worker is awaited, and only so many at once, so
 * that no flood of connections takes the descriptors which journal, logs and checkpoints need. Refused connections are
 * reported.
 */
export class Connections {
  private open = 0;
  private failing = 0;
  private established = 0;
  /** Whether there is an attempt, and whether its worker has come. */
  private expected = false;
  private present = false;
  private reserve: number[] = [];
  private closed = false;

  constructor(
    socket: Router,
    private readonly folder: SocketFolder,
    private readonly report: (reason: string) => void,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.on(socket, "accept", () => this.count(1));
    this.on(socket, "accept:error", () => this.flooded());
    this.on(socket, "handshake", () => (this.established += 1));
    this.on(socket, "handshake:error:auth", () => (this.failing += 1));
    this.on(socket, "handshake:error:protocol", () => this.refuse("that speaks another protocol, or has no key"));
    this.on(socket, "handshake:error:other", () => this.refuse("that proved no key in time"));
    this.on(socket, "disconnect", () => this.leave());
    folder.shutDoor();
    this.keepReserve();
  }

  /** A worker may connect from now on. */
  expect(): void {
    this.expected = true;
    this.present = false;
    this.mindDoor();
  }

  /** The worker is here: nobody else has any business at the door, unless its connection is cut. */
  settle(): void {
    this.present = true;
    this.mindDoor();
  }

  /** Nobody is expected any more. */
  dismiss(): void {
    this.expected = false;
    this.mindDoor();
  }

  close(): void {
    this.closed = true;
    this.freeReserve();
    this.folder.remove();
  }

  /** What the socket tells after its end is nobody's business; what a listener throws is the controller's. */
  private on(socket: Router, name: EventType, listener: () => void): void {
    socket.events.on(name, () => {
      if (this.closed) return;
      try {
        listener();
      } catch (error) {
        this.onFault(error);
      }
    });
  }

  private count(change: number): void {
    this.open += change;
    if (this.open === MOST_CONNECTIONS && change > 0) this.report(`connections beyond ${MOST_CONNECTIONS} at once`);
    this.mindDoor();
  }

  private flooded(): void {
    this.folder.shutDoor();
    this.freeReserve();
    this.report("a connection for which no file descriptor was left");
  }

  private refuse(which: string): void {
    this.failing += 1;
    this.report(`a connection ${which}`);
  }

  private leave(): void {
    if (this.failing > 0) this.failing -= 1;
    else if (this.open > this.established) this.report("a connection that said nothing of ours");
    else {
      this.established -= 1;
      this.present = false;
    }
    this.count(-1);
  }

  private mindDoor(): void {
    if (!this.expected || this.present || this.open >= MOST_CONNECTIONS) return this.folder.shutDoor();
    this.keepReserve();
    this.folder.openDoor();
  }

  private keepReserve(): void {
    try {
      while (this.reserve.length < RESERVED_DESCRIPTORS) this.reserve.push(openSync("/dev/null", "r"));
    } catch {
      // None are left for a reserve: the next connection that goes makes room.
    }
  }

  private freeReserve(): void {
    for (const descriptor of this.reserve.splice(0)) closeSync(descriptor);
  }
}
