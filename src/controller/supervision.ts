import type { Event, SupervisionClock } from "../core/events.js";
import type { Attempt, State } from "../core/state.js";

/** How often the clocks are looked at: far finer than any limit, far coarser than work. */
const CHECK_MILLISECONDS = 100;

/** Update durations remembered for the median. */
const RECENT_UPDATES = 33;

/** A warning waits for this many median updates, so that slow training is not called stuck. */
const WARN_MEDIAN_UPDATES = 10;

/** A worker that stops may have this many updates' worth of work under way. */
const GRACE_MEDIAN_UPDATES = 3;

export interface SupervisionOptions {
  readonly emit: (event: Event) => void;
  /** Monotonic milliseconds: wall clocks jump. */
  readonly now: () => number;
  /** When the router last heard from the bound worker, in the same milliseconds; null before it was bound. */
  readonly lastHeardAt: () => number | null;
}

export interface Supervision {
  /** Tells the new state after each event; `worked` is true when the event shows that work went on. */
  readonly observe: (state: State, worked: boolean) => void;
  readonly stop: () => void;
}

/**
 * Keeps three facts apart: the link is alive, the process is alive, the work goes on. Only the last two end an
 * attempt; a silent link is shown. Turns clocks into events, so that the core stays without time.
 */
export function superviseAttempts(options: SupervisionOptions): Supervision {
  let state: State | null = null;
  let since = options.now();
  let stage = "";
  let warned = { work: false, link: false };
  const durations = createMedian();

  const observe = (next: State, worked: boolean): void => {
    const name = next.attempt === null ? "" : `${next.attempt.number} ${next.attempt.stage}`;
    if (worked && next.progress !== null && next.attempt?.stage === "training") {
      durations.add(next.attempt.number, next.progress.step, options.now());
    }
    // Work while it prepares or stops is no reason to wait longer: those clocks limit the whole of it.
    if (name !== stage || (worked && next.attempt?.stage === "training")) {
      since = options.now();
      warned = { ...warned, work: false };
    }
    stage = name;
    state = next;
  };

  const check = (): void => {
    if (state?.attempt == null || state.end !== null || state.attempt.endedBecause !== null) return;
    const quietSeconds = (options.now() - since) / 1000;
    const limit = clockOf(state, state.attempt, durations.seconds());
    if (limit !== null && quietSeconds > limit.seconds) {
      const seconds = Math.round(limit.seconds * 10) / 10;
      options.emit({ type: "attempt/timedOut", attempt: state.attempt.number, clock: limit.clock, seconds });
      return;
    }
    warnAboutWork(state, state.attempt, quietSeconds);
    warnAboutLink(state, state.attempt);
  };

  const warnAboutWork = (current: State, attempt: Attempt, quietSeconds: number): void => {
    const configured = current.config.supervision.progress_warn_seconds;
    const limit = Math.max(configured, WARN_MEDIAN_UPDATES * durations.seconds());
    if (attempt.stage !== "training" || warned.work || quietSeconds <= limit) return;
    warned = { ...warned, work: true };
    options.emit({ type: "attempt/quiet", attempt: attempt.number, what: "work", seconds: Math.round(quietSeconds) });
  };

  const warnAboutLink = (current: State, attempt: Attempt): void => {
    const heard = options.lastHeardAt();
    const silent = heard === null ? 0 : (options.now() - heard) / 1000;
    if (silent <= current.config.supervision.link_silent_seconds) {
      warned = { ...warned, link: false };
    } else if (!warned.link && attempt.stage !== "closed") {
      warned = { ...warned, link: true };
      options.emit({ type: "attempt/quiet", attempt: attempt.number, what: "link", seconds: Math.round(silent) });
    }
  };

  const timer = setInterval(check, CHECK_MILLISECONDS);
  return { observe, stop: () => clearInterval(timer) };
}

/** The clock that runs in the attempt's stage; none runs while the worker waits for the controller or an operator. */
function clockOf(
  { config: { supervision, script } }: State,
  attempt: Attempt,
  medianSeconds: number,
): { clock: SupervisionClock; seconds: number } | null {
  switch (attempt.stage) {
    case "connecting":
      return { clock: "connect", seconds: supervision.connect_seconds };
    case "preparing":
      return { clock: "ready", seconds: supervision.ready_seconds };
    case "training":
      return { clock: "progress", seconds: supervision.progress_seconds };
    case "closed":
    case "stopping":
      // Its training over, a script may have more to do, and it may take its time.
      if (attempt.stage === "closed" && script !== undefined) return null;
      return { clock: "stop", seconds: supervision.stop_grace_seconds + GRACE_MEDIAN_UPDATES * medianSeconds };
    case "launching":
    case "waiting":
      return null;
  }
}

/** Median seconds of an update, from progress reports. */
function createMedian(): { add: (attempt: number, step: number, now: number) => void; seconds: () => number } {
  let last: { attempt: number; step: number; now: number } | null = null;
  let durations: number[] = [];
  return {
    add: (attempt, step, now) => {
      if (last !== null && last.attempt === attempt && step > last.step) {
        durations = [...durations, (now - last.now) / 1000 / (step - last.step)].slice(-RECENT_UPDATES);
      }
      last = { attempt, step, now };
    },
    seconds: () => [...durations].sort((a, b) => a - b)[Math.floor(durations.length / 2)] ?? 0,
  };
}
