import { BugError } from "../errors.js";
import type { Event, EventOf } from "./events.js";
import { NO_GRID } from "./grid.js";
import { NO_SCORES } from "./scores.js";
import { Series } from "./series.js";
import type { State } from "./state.js";
import { stay, type Transition } from "./transition.js";

const NO_SECONDS = { train: 0, probe: 0, wait: 0, evaluate: 0, checkpoint: 0 };

/** The first event of a run makes its state. */
export function createRun(event: Event): Transition {
  if (event.type !== "run/created") throw new BugError(`\`${event.type}\` came before the run was created`);
  return stay(emptyState(event));
}

function emptyState(event: EventOf<"run/created">): State {
  return {
    run: event.run,
    config: event.config,
    coreVersion: event.coreVersion,
    term: 0,
    attempt: null,
    attempts: { launched: 0, restarts: 0 },
    software: null,
    model: null,
    progress: { frontier: 0, latest: null, loss: null, seconds: NO_SECONDS, moved: null },
    signal: { series: {}, voided: {}, judgement: null, prefix: null, judgedUntil: 0, ...NO_GRID },
    interval: null,
    announced: null,
    adopted: null,
    operator: {
      requests: [],
      ids: Series.of<string>([], (id) => id),
      changes: [],
      unconfirmed: [],
      orders: [],
      paused: false,
      interrupted: null,
    },
    weights: { checkpoints: [], furthestCheckpoint: -1, best: null, sha256: null },
    scores: NO_SCORES,
    identityDropped: Series.of<string>([], (why) => why),
    end: null,
  };
}
