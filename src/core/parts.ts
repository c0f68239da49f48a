import type { Progress, SignalRecord, State } from "./state.js";

/*
 * What becomes of a state at every record. Each is one literal that names all keys: to spread an object with so many of
 * them takes ten times as long, and a long journal is reduced in millions of copies.
 */

/** The state with other parts. */
export function withParts(state: State, parts: Partial<State>): Required<State> {
  return {
    run: parts.run ?? state.run,
    config: parts.config ?? state.config,
    coreVersion: parts.coreVersion ?? state.coreVersion,
    term: parts.term ?? state.term,
    attempt: parts.attempt === undefined ? state.attempt : parts.attempt,
    attempts: parts.attempts ?? state.attempts,
    software: parts.software === undefined ? state.software : parts.software,
    model: parts.model === undefined ? state.model : parts.model,
    progress: parts.progress ?? state.progress,
    signal: parts.signal ?? state.signal,
    interval: parts.interval === undefined ? state.interval : parts.interval,
    announced: parts.announced === undefined ? state.announced : parts.announced,
    adopted: parts.adopted === undefined ? state.adopted : parts.adopted,
    operator: parts.operator ?? state.operator,
    weights: parts.weights ?? state.weights,
    scores: parts.scores ?? state.scores,
    identityDropped: parts.identityDropped ?? state.identityDropped,
    end: parts.end === undefined ? state.end : parts.end,
  };
}

export function withProgress(progress: Progress, parts: Partial<Progress>): Required<Progress> {
  return {
    frontier: parts.frontier ?? progress.frontier,
    latest: parts.latest === undefined ? progress.latest : parts.latest,
    loss: parts.loss === undefined ? progress.loss : parts.loss,
    seconds: parts.seconds ?? progress.seconds,
    moved: parts.moved === undefined ? progress.moved : parts.moved,
  };
}

export function withSignal(signal: SignalRecord, parts: Partial<SignalRecord>): Required<SignalRecord> {
  return {
    series: parts.series ?? signal.series,
    voided: parts.voided ?? signal.voided,
    judgement: parts.judgement === undefined ? signal.judgement : parts.judgement,
    prefix: parts.prefix === undefined ? signal.prefix : parts.prefix,
    judgedUntil: parts.judgedUntil ?? signal.judgedUntil,
    timing: parts.timing === undefined ? signal.timing : parts.timing,
    grid: parts.grid === undefined ? signal.grid : parts.grid,
    dropped: parts.dropped ?? signal.dropped,
  };
}
