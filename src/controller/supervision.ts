import type { Event, SupervisionClock } from "../core/events.js";
import type { Attempt } from "../core/attempt/attempt.js";
import type { State } from "../core/state.js";
import { stopOrderedBy } from "../core/operator/requests.js";
import type { Clock } from "./clock.js";

/** How often the clocks are looked at: far finer than any limit, far coarser than work. */
const CHECK_MILLISECONDS = 100;

/** A look that is later than this found the controller itself standing still: stopped, or kept from its work. */
const PAUSE_MILLISECONDS = 1000;

/** Update durations remembered for the median. */
const RECENT_UPDATES = 33;

/** A warning waits for this many median updates, so that slow training is not called stuck. */
const WARN_MEDIAN_UPDATES = 10;

/** A worker that stops may have this many updates' worth of work under way. */
const GRACE_MEDIAN_UPDATES = 3;

export interface SupervisionOptions {
  readonly emit: (event: Event) => void;
  readonly clock: Clock;
  /** When the router last heard from the bound worker, in the clock's milliseconds; null before it was bound. */
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
  const { clock } = options;
  let state: State | null = null;
  let since = clock.now();
  let stage = "";
  let lookedAt = since;
  let stoodUntil = -Infinity;
  let warned = { work: false, link: false };
  const durations = createMedian();

  const observe = (next: State, worked: boolean): void => {
    const name = next.attempt === null ? "" : stageOf(next, next.attempt);
    const trains = next.attempt?.stage === "training" && stopOrderedBy(next) === null;
    if (worked && next.progress.latest !== null && next.attempt?.stage === "training") {
      durations.add(next.attempt.number, next.progress.latest.step, clock.now());
    }
    // Work while it prepares or stops is no reason to wait longer: those clocks limit the whole of it.
    if (name !== stage || (worked && trains)) {
      since = clock.now();
      warned = { ...warned, work: false };
    }
    stage = name;
    state = next;
  };

  /** What a worker said meanwhile waits in the socket: nobody is judged by a time in which nobody listened. */
  const standAside = (): void => {
    const now = clock.now();
    const late = now - lookedAt - CHECK_MILLISECONDS;
    lookedAt = now;
    if (late <= PAUSE_MILLISECONDS) return;
    since = Math.min(now, since + late);
    stoodUntil = now;
  };

  const check = (): void => {
    standAside();
    if (state?.attempt == null || state.end !== null || state.attempt.ended !== null) return;
    const quietSeconds = (clock.now() - since) / 1000;
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
    const silent = heard === null ? 0 : (clock.now() - Math.max(heard, stoodUntil)) / 1000;
    if (silent <= current.config.supervision.link_silent_seconds) {
      warned = { ...warned, link: false };
    } else if (!warned.link && attempt.stage !== "closed") {
      warned = { ...warned, link: true };
      options.emit({ type: "attempt/quiet", attempt: attempt.number, what: "link", seconds: Math.round(silent) });
    }
  };

  return { observe, stop: clock.every(CHECK_MILLISECONDS, check) };
}

/** Changes when another clock begins to run; an order to stop begins one when it is given. */
function stageOf(state: State, attempt: Attempt): string {
  return `${attempt.number} ${attempt.stage}${awaitsStop(state, attempt) ? ", to stop" : ""}`;
}

/** Whether it was ordered to stop where that is not a stage of its own: in its training, or in what a script does after. */
function awaitsStop(state: State, { stage }: Attempt): boolean {
  const stops = stage === "training" || stage === "preparing" || stage === "closed";
  return stops && stopOrderedBy(state) !== null;
}

/** The clock that runs in the attempt's stage; none runs while the worker waits for the controller or an operator. */
function clockOf(
  state: State,
  attempt: Attempt,
  medianSeconds: number,
): { clock: SupervisionClock; seconds: number } | null {
  const { supervision, script } = state.config;
  const stop = {
    clock: "stop",
    seconds: supervision.stop_grace_seconds + GRACE_MEDIAN_UPDATES * medianSeconds,
  } as const;
  if (awaitsStop(state, attempt)) return stop;
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
      return stop;
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
