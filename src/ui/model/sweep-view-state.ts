import type { WatchedRun, WatchedSweep } from "../../sweep/watched-sweep.js";
import { sweepBindingFor, type SweepAction } from "./sweep-keymap.js";
import { listOf, matrixOf, SORTS, type Sort } from "./sweep-rows.js";

/** What the person at a sweep's view has chosen. */
export interface SweepView {
  readonly face: "matrix" | "list";
  /** Id of the run that the cursor is at; null before the first. */
  readonly cursor: string | null;
  /** Ids, in the order of selection. */
  readonly selected: readonly string[];
  readonly filter: string;
  /** Whether keys write the filter. */
  readonly typing: boolean;
  readonly sort: Sort;
  readonly help: boolean;
  readonly notice: string | null;
  /** Ctrl-C was pressed where that stops the runs. */
  readonly interrupted: boolean;
}

export const INITIAL_SWEEP_VIEW: SweepView = {
  face: "matrix",
  cursor: null,
  selected: [],
  filter: "",
  typing: false,
  sort: "plan",
  help: false,
  notice: null,
  interrupted: false,
};

export type SweepEffect =
  | { readonly type: "leave" }
  /** `ids` in one view: over each other where there are several. */
  | { readonly type: "open"; readonly runs: readonly WatchedRun[] }
  | { readonly type: "interrupt" }
  | null;

export interface SweepTransition {
  readonly view: SweepView;
  readonly effect: SweepEffect;
}

/** More in one chart than this cannot be told apart. */
export const MOST_OVERLAID = 4;
const PAGE = 10;

/**
 * The view after one key press.
 * @param interrupt what Ctrl-C means: `stop` where this process makes the runs
 */
export function pressSweepKey(
  view: SweepView,
  name: string,
  sweep: WatchedSweep,
  interrupt: "stop" | "leave",
): SweepTransition {
  const action = sweepBindingFor(name)?.action ?? null;
  if (action === "interrupt") {
    return interrupt === "leave"
      ? { view, effect: { type: "leave" } }
      : { view: { ...view, interrupted: true }, effect: { type: "interrupt" } };
  }
  if (view.typing) {
    const typed = typeKey(view, name);
    if (typed !== null) return { view: withCursor(typed, sweep), effect: null };
    if (name.length === 1) return { view, effect: null };
  }
  if (action === null) return { view, effect: null };
  return act(withCursor({ ...view, notice: null }, sweep), action, sweep);
}

/** Null for a key that means the same as elsewhere. */
function typeKey(view: SweepView, name: string): SweepView | null {
  if (name === "return") return { ...view, typing: false };
  if (name === "esc") return { ...view, typing: false, filter: "" };
  if (name === "backspace") return { ...view, filter: Array.from(view.filter).slice(0, -1).join("") };
  return Array.from(name).length === 1 ? { ...view, filter: view.filter + name } : null;
}

/** The cursor is at a run that is shown. */
function withCursor(view: SweepView, sweep: WatchedSweep): SweepView {
  const runs = view.face === "list" ? listOf(sweep, view.filter, view.sort) : sweep.runs;
  return runs.some(({ id }) => id === view.cursor) ? view : { ...view, cursor: runs[0]?.id ?? null };
}

function act(view: SweepView, action: Exclude<SweepAction, "interrupt">, sweep: WatchedSweep): SweepTransition {
  const stay = (changed: Partial<SweepView>): SweepTransition => ({
    view: withCursor({ ...view, ...changed }, sweep),
    effect: null,
  });
  switch (action) {
    case "leave":
      return { view, effect: { type: "leave" } };
    case "help":
      return stay({ help: !view.help });
    case "face":
      return stay({ face: view.face === "matrix" ? "list" : "matrix", help: false });
    case "filter":
      return stay({ typing: true, face: "list", help: false });
    case "sort":
      return stay({ sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length]!, face: "list", help: false });
    case "dismiss":
      if (view.help) return stay({ help: false });
      return stay(view.filter === "" ? { selected: [] } : { filter: "" });
    case "open":
      return open(view, sweep);
    case "overlay":
      return overlay(view, sweep);
    case "select":
      return stay(select(view, sweep));
    default:
      return stay({ cursor: move(view, action, sweep) });
  }
}

function select(view: SweepView, sweep: WatchedSweep): Partial<SweepView> {
  const run = sweep.runs.find(({ id }) => id === view.cursor);
  if (run === undefined) return {};
  if (view.selected.includes(run.id)) return { selected: view.selected.filter((id) => id !== run.id) };
  if (run.standing === "pending") return { notice: "this run has not begun: there is nothing to draw yet" };
  if (view.selected.length === MOST_OVERLAID) return { notice: `${MOST_OVERLAID} runs are selected, and no more fit` };
  return { selected: [...view.selected, run.id] };
}

function open(view: SweepView, sweep: WatchedSweep): SweepTransition {
  const run = sweep.runs.find(({ id }) => id === view.cursor);
  if (run === undefined || run.standing === "pending") {
    return { view: { ...view, notice: "this run has not begun" }, effect: null };
  }
  return { view, effect: { type: "open", runs: [run] } };
}

function overlay(view: SweepView, sweep: WatchedSweep): SweepTransition {
  const runs = view.selected.flatMap((id) => sweep.runs.find((run) => run.id === id) ?? []);
  if (runs.length < 2) {
    return { view: { ...view, notice: "select 2 to 4 runs with space first" }, effect: null };
  }
  return { view, effect: { type: "open", runs } };
}

type Move = Extract<SweepAction, "up" | "down" | "left" | "right" | "pageUp" | "pageDown" | "first" | "last">;

const ROWS: Readonly<Record<Move, number>> = {
  up: -1,
  down: 1,
  left: 0,
  right: 0,
  pageUp: -PAGE,
  pageDown: PAGE,
  first: -Infinity,
  last: Infinity,
};

function move(view: SweepView, action: Move, sweep: WatchedSweep): string | null {
  const within = (place: number, length: number): number => Math.max(0, Math.min(length - 1, place));
  if (view.face === "list") {
    const runs = listOf(sweep, view.filter, view.sort);
    const at = runs.findIndex(({ id }) => id === view.cursor);
    return runs[within(at + ROWS[action], runs.length)]?.id ?? null;
  }
  const { rows } = matrixOf(sweep);
  const row = rows.findIndex(({ runs }) => runs.some((run) => run?.id === view.cursor));
  const column = rows[row]?.runs.findIndex((run) => run?.id === view.cursor) ?? 0;
  const right = action === "right" ? 1 : action === "left" ? -1 : 0;
  const runs = rows[within(row + ROWS[action], rows.length)]?.runs ?? [];
  const to = within(column + right, runs.length);
  // Not every condition has every seed.
  return (runs[to] ?? runs.find((run) => run !== null))?.id ?? view.cursor;
}
