import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "../whole-file.js";
import type { Holder } from "./holder.js";
import { highestTerm, releaseTerm } from "./terms.js";

/** For so long a look is good: whoever took our place has waited for longer. */
const LOOK_MILLISECONDS = 1000;

export interface LeaseFacts {
  readonly heartbeatMilliseconds: number;
  readonly expiryMilliseconds: number;
}

/** What a holder has of its file: it touches it, and looks whether it is still the holder. */
export interface Lease {
  /** Whether it is still ours; false for good once lost. To be asked before each write. */
  readonly isHeld: () => boolean;
  readonly release: () => void;
}

/** Keeps what `takeTerm` has made: heartbeats until it is released or lost, which do not keep the process. */
export function keepLease(
  place: { readonly name: string; readonly term: number; readonly path: string },
  holder: Holder,
  { heartbeatMilliseconds, expiryMilliseconds }: LeaseFacts,
): Lease {
  const lookMilliseconds = Math.min(LOOK_MILLISECONDS, heartbeatMilliseconds);
  let state: "held" | "lost" | "released" = "held";
  let seen = now();
  let beating = false;

  const over = (as: "lost" | "released"): void => {
    if (state === "held") state = as;
    clearInterval(timer);
  };

  const look = (): void => {
    const found = lookAt(place, holder);
    if (found === "ours") seen = now();
    // A file system that is away says nothing; for longer than others wait it has to be taken for a loss.
    else if (found === "another's" || since(seen) > expiryMilliseconds) over("lost");
  };

  const beat = async (): Promise<void> => {
    if (beating) return;
    beating = true;
    try {
      look();
      if (state === "held") await touch(place.path);
    } catch {
      // The next one may do; others see how long it has been silent, and it looks before it writes.
    } finally {
      beating = false;
    }
  };
  const timer = setInterval(() => void beat(), heartbeatMilliseconds);
  timer.unref();

  return {
    isHeld: () => {
      if (state === "held" && since(seen) > lookMilliseconds) look();
      return state === "held";
    },
    release: () => {
      if (state === "held") releaseTerm(place.path, holder);
      over("released");
    },
  };
}

function lookAt(
  { name, term, path }: { readonly name: string; readonly term: number; readonly path: string },
  holder: Holder,
): "ours" | "another's" | "unknown" {
  try {
    if (highestTerm(dirname(path), name) !== term) return "another's";
    return readFileSync(path, "utf8") === JSON.stringify(holder) ? "ours" : "another's";
  } catch (error) {
    // It was listed a moment ago.
    return codeOf(error) === "ESTALE" ? "another's" : "unknown";
  }
}

/** The byte that is there already, so that the server, and not this host's clock, says when it was written. */
async function touch(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write("{", 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** Of both clocks the longer time: the monotonic one may stand still while a machine sleeps, the other is set. */
function since({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}
