import type { OperatorRequest } from "../../core/events.js";
import { selectBlockSignals } from "../../reading/block-signals.js";
import { selectNextPoint, selectNextRelease, selectStep } from "../../reading/selectors.js";
import type { State } from "../../core/state.js";
import { bindingFor, type Action } from "./keymap.js";
import type { ObservedRun } from "./observed-run.js";

/** What the person at the view has chosen; nothing of the run. */
export interface ViewState {
  /** Index of the run that is shown. */
  readonly shown: number;
  readonly logarithmic: boolean;
  readonly average: boolean;
  /** How many pictures further than the one that the view finds fitting. */
  readonly panel: number;
  readonly help: boolean;
  /** Whether the runs are drawn over each other, where there are several. */
  readonly overlay: boolean;
  /** A request that waits for `y`. */
  readonly asked: OperatorRequest | null;
  readonly notice: string | null;
  /** The last request that was given, to show what becomes of it. */
  readonly ordered: { readonly id: string; readonly verb: string } | null;
  /** Ctrl-C was pressed: a stop is ordered, or will be as soon as a controller listens. */
  readonly interrupted: boolean;
}

export const INITIAL_VIEW: ViewState = {
  shown: 0,
  logarithmic: false,
  average: true,
  panel: 0,
  help: false,
  overlay: false,
  asked: null,
  notice: null,
  ordered: null,
  interrupted: false,
};

/** What a key press leads to beside the new view state. */
export type ViewEffect =
  | { readonly type: "leave"; readonly why: "detached" | "interrupted" }
  | { readonly type: "order"; readonly request: OperatorRequest }
  | { readonly type: "interrupt" }
  | null;

export interface ViewTransition {
  readonly view: ViewState;
  readonly effect: ViewEffect;
}

export interface ViewContext {
  readonly runs: readonly ObservedRun[];
  readonly interrupt: "stop" | "leave";
}

/** The view after one key press. While a question is asked, `y` answers it and every other key means no. */
export function pressKey(view: ViewState, name: string, context: ViewContext): ViewTransition {
  const action = bindingFor(name)?.action ?? null;
  if (view.asked !== null && action !== "interrupt") {
    const answered: ViewState = { ...view, asked: null, notice: name === "y" ? null : "nothing was ordered" };
    return { view: answered, effect: name === "y" ? { type: "order", request: view.asked } : null };
  }
  return action === null ? { view, effect: null } : act({ ...view, notice: null, ordered: null }, action, context);
}

function act(view: ViewState, action: Action, context: ViewContext): ViewTransition {
  const stay = (changed: Partial<ViewState>): ViewTransition => ({ view: { ...view, ...changed }, effect: null });
  const count = context.runs.length;
  const run = context.runs[view.shown]!;
  switch (action) {
    case "detach":
      return { view, effect: { type: "leave", why: "detached" } };
    case "interrupt":
      return interrupt(view, context);
    case "help":
      return stay({ help: !view.help });
    case "dismiss":
      return stay({ help: false });
    case "logarithmic":
      return stay({ logarithmic: !view.logarithmic });
    case "average":
      return stay({ average: !view.average });
    case "panel":
      return stay({ panel: view.panel + 1 });
    case "overlay":
      return count > 1 ? stay({ overlay: !view.overlay, help: false }) : stay({ notice: "only one run is watched" });
    case "nextRun":
      return stay({ overlay: false, shown: (view.shown + 1) % count });
    case "previousRun":
      return stay({ overlay: false, shown: (view.shown + count - 1) % count });
    case "pause":
      return ask(view, run, { verb: run.state?.operator.paused === true ? "continue" : "pause" });
    case "checkpoint":
      return order(view, run, { verb: "checkpoint" });
    case "unfreeze":
    case "evaluate":
    case "stop":
      return ask(view, run, { verb: action });
  }
}

/** The first Ctrl-C orders a stop where the run is ours; the second one, or any other, leaves. */
function interrupt(view: ViewState, { interrupt: mode, runs }: ViewContext): ViewTransition {
  const over = runs.every((run) => run.state !== null && run.state.end !== null);
  if (mode === "leave" || view.interrupted || over) return { view, effect: { type: "leave", why: "interrupted" } };
  return { view: { ...view, interrupted: true, asked: null }, effect: { type: "interrupt" } };
}

function ask(view: ViewState, run: ObservedRun, request: OperatorRequest): ViewTransition {
  const why = impossible(run.state);
  if (why !== null) return { view: { ...view, notice: why }, effect: null };
  return { view: { ...view, asked: request, help: false }, effect: null };
}

function order(view: ViewState, run: ObservedRun, request: OperatorRequest): ViewTransition {
  const why = impossible(run.state);
  if (why !== null) return { view: { ...view, notice: why }, effect: null };
  return { view, effect: { type: "order", request } };
}

function impossible(state: State | null): string | null {
  if (state === null || state.term === 0) return "no controller has started yet";
  return state.end === null ? null : "the run has ended";
}

/** The question before a request is given: what it does, when, and whether it can be taken back. */
export function questionFor(request: OperatorRequest, state: State): string {
  const update = selectStep(state) + 1;
  const next = selectNextRelease(state);
  switch (request.verb) {
    case "pause":
      return `pause before update ${update} or soon after?`;
    case "continue":
      return "go on with training?";
    case "evaluate":
      return "evaluate now? Training waits for it";
    case "stop":
      return "stop the run, with a checkpoint? `npx thawline resume` can go on with it";
    case "unfreeze":
      return next === null
        ? `unfreeze the next block at about update ${update}? That decides k`
        : `unfreeze ${next.block} now instead of before update ${next.update}? k stays`;
    default:
      return `${request.verb}?`;
  }
}

export type Panel = "signal" | "blocks" | "loss" | "results";

/**
 * Which picture is shown where there is room for one: the signal while k is to be found, then the loss, then the
 * results as they come in; from there as many further as the person asked for.
 *
 * @param roomy both charts fit at once, as `signal`
 */
export function panelOf(view: ViewState, state: State, roomy: boolean): Panel {
  const results: Panel[] = state.scores.evaluations.length > 0 ? ["results"] : [];
  const blocks: Panel[] = selectBlockSignals(state) === null ? [] : ["blocks"];
  const panels: Panel[] = roomy ? ["signal", ...blocks, ...results] : ["signal", ...blocks, "loss", ...results];
  return panels[(panels.indexOf(newsOf(state, roomy)) + view.panel) % panels.length]!;
}

function newsOf(state: State, roomy: boolean): Panel {
  if (roomy) return "signal";
  const evaluating = state.end !== null || state.progress.latest?.phase === "evaluate";
  if (state.scores.evaluations.length > 0 && evaluating) return "results";
  const measuring = selectNextPoint(state) !== null || state.model === null;
  return measuring || state.progress.loss === null ? "signal" : "loss";
}
