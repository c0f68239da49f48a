import type { ReactElement } from "react";
import { keyName, SWEEP_KEYMAP } from "../model/sweep-keymap.js";
import type { SweepView } from "../model/sweep-view-state.js";
import { Line, say } from "./line.js";

/** The filter while it is written, that the runs stop, a notice, or the keys. */
export function SweepFooter({ view }: { readonly view: SweepView }): ReactElement {
  if (view.interrupted) {
    return (
      <Line
        segments={[
          say("every run stops with a checkpoint; ", "waiting"),
          say("ctrl+c", "key"),
          say(" again does not wait for checkpoints"),
        ]}
      />
    );
  }
  if (view.typing) {
    return (
      <Line
        segments={[
          say("/", "key"),
          say(`${view.filter}_`, "strong"),
          say("  enter", "key"),
          say(" keeps it  ", "dim"),
          say("esc", "key"),
          say(" takes it back", "dim"),
        ]}
      />
    );
  }
  if (view.notice !== null) return <Line segments={[say(view.notice, "warning")]} />;
  return (
    <Line
      segments={SWEEP_KEYMAP.filter(({ footer }) => footer !== undefined).flatMap(({ keys, action, footer }) => {
        const label = action === "face" && view.face === "list" ? "matrix" : footer!;
        return [say(keyName(keys[0]), "key"), say(` ${label}  `, "dim")];
      })}
    />
  );
}
