import type { ReactElement } from "react";
import type { State } from "../../core/state.js";
import { KEYMAP } from "../model/keymap.js";
import type { ObservedRun } from "../model/observed-run.js";
import type { Segment } from "../../words/role.js";
import { questionFor, type ViewState } from "../model/view-state.js";
import { Line, say } from "./line.js";

interface FooterProps {
  readonly run: ObservedRun;
  readonly view: ViewState;
}

/** The question that waits for an answer, what became of the last order, or the keys. */
export function Footer({ run, view }: FooterProps): ReactElement {
  return <Line segments={footerSegments(run, view)} />;
}

function footerSegments(run: ObservedRun, view: ViewState): Segment[] {
  if (view.asked !== null && run.state !== null) {
    return [
      say(questionFor(view.asked, run.state), "waiting"),
      say("  y", "key"),
      say(" yes, any other key no", "dim"),
    ];
  }
  if (view.interrupted && run.state?.end === null) {
    return [
      say("stopping with a checkpoint; ", "waiting"),
      say("ctrl+c", "key"),
      say(" again leaves the view, the run still stops"),
    ];
  }
  if (view.notice !== null) return [say(view.notice, "warning")];
  const { ordered } = view;
  const answer = ordered === null ? undefined : run.answers.get(ordered.id)?.text;
  const order = ordered === null ? [] : [say(`${ordered.verb}: ${answer ?? "ordered, not done yet"}   `, "waiting")];
  return [...order, ...keys(run.state)];
}

/** Fewer where they would not fit; all of them are in the help. */
function keys(state: State | null): Segment[] {
  const over = state !== null && state.end !== null;
  return KEYMAP.filter(({ footer, control }) => footer !== undefined && !(over && control)).flatMap((binding) => {
    const label = binding.action === "pause" && state?.operator.paused === true ? "continue" : binding.footer!;
    return [say(binding.keys[0], "key"), say(` ${label}  `, "dim")];
  });
}
