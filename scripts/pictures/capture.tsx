import { renderToString } from "ink";
import type { JournalRecord } from "../../src/journal/format.js";
import { observe, unobservedRun } from "../../src/ui/model/observed-run.js";
import { createTheme } from "../../src/ui/theme.js";
import { INITIAL_VIEW, type ViewState } from "../../src/ui/model/view-state.js";
import { Frame } from "../../src/ui/views/frame.js";

export interface CaptureOptions {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly unicode: boolean;
  readonly runFolder: string;
  readonly view?: Partial<ViewState>;
}

/** The frame that the live view showed right after the last of `records`, with its escape sequences. */
export function captureFrame(records: readonly JournalRecord[], options: CaptureOptions): string {
  const { columns, rows, runFolder } = options;
  const run = records.reduce(observe, unobservedRun(runFolder));
  const snapshot = { runs: [run], view: { ...INITIAL_VIEW, ...options.view }, now: Date.parse(run.lastAt ?? "") || 0 };
  const theme = createTheme(options);
  return renderToString(<Frame snapshot={snapshot} theme={theme} columns={columns} rows={rows} />, { columns });
}
