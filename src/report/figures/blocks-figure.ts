import { scheduleOf } from "../../core/schedule-of-run.js";
import { trainableAt } from "../../core/intervention/schedule.js";
import type { State } from "../../core/state.js";
import { completedUpdates } from "../../reading/results.js";
import { UPDATES, type Span, type TimelineFigure } from "./figure.js";
import { decisionRules } from "./signal-figure.js";

/** When the head and each block trained; null before the model is known, or before anything was trained. */
export function blocksFigure(state: State): TimelineFigure | null {
  const { model } = state;
  const last = completedUpdates(state);
  if (model === null || last === 0) return null;
  const schedule = scheduleOf(state, model);
  const edges = [1, schedule.frozenFrom, ...schedule.releases.map(({ update }) => update)];
  const starts = [...new Set(edges)].filter((update) => update >= 1 && update <= last).sort((a, b) => a - b);
  const releases = new Map(schedule.releases.map(({ block, update }) => [block, update]));
  const rows = [model.head, ...model.blocks].map(({ name }) => {
    const spans: Span[] = starts.map((from, index) => {
      const to = (starts[index + 1] ?? last + 1) - 1;
      return { from, to, state: trainableAt(schedule, from).includes(name) ? "training" : "frozen" };
    });
    return { name, spans: withWarmup(joined(spans), releases.get(name), schedule.releaseWarmup) };
  });
  const caption = ["head first, then the blocks from the top down"];
  const rules = decisionRules(state).filter(({ kind, at }) => kind === "decision" && at <= last);
  return { kind: "timeline", id: "blocks", title: "What trained when", caption, x: UPDATES, rows, rules };
}

/** Neighbouring spans of the same state as one. */
function joined(spans: readonly Span[]): Span[] {
  const whole: Span[] = [];
  for (const span of spans) {
    const last = whole.at(-1);
    if (last?.state === span.state) whole[whole.length - 1] = { ...last, to: span.to };
    else whole.push(span);
  }
  return whole;
}

/** The updates over which the rate of a released block rises. */
function withWarmup(spans: readonly Span[], release: number | undefined, warmup: number | null): Span[] {
  if (release === undefined || warmup === null) return [...spans];
  return spans.flatMap((span): Span[] => {
    if (span.state !== "training" || span.from !== release) return [span];
    const end = Math.min(span.to, release + warmup - 1);
    const rest: Span[] = end < span.to ? [{ from: end + 1, to: span.to, state: "training" }] : [];
    return [{ from: span.from, to: end, state: "warming up" }, ...rest];
  });
}
