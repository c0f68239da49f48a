import { Box } from "ink";
import { memo, useMemo, type ReactElement } from "react";
import { selectBlockSignals } from "../../reading/block-signals.js";
import { selectBlocks } from "../../reading/selectors.js";
import type { State } from "../../core/state.js";
import { BlockLine, BlockPanel } from "../components/blocks.js";
import { BlockSignalPanel } from "../components/block-signals.js";
import { LossChart, SignalChart } from "../components/charts.js";
import { DecisionLog } from "../components/decision-log.js";
import { DetectorLines, DetectorPanel } from "../components/detector.js";
import { Footer } from "../components/footer.js";
import { Header } from "../components/header.js";
import { Line, say, ThemeContext, useTheme } from "../components/line.js";
import { Overlay } from "../components/overlay.js";
import { ResultPanel } from "../components/results.js";
import type { Curves } from "../model/curves.js";
import { layoutFor, SMALLEST, type Layout } from "../model/layout.js";
import type { ObservedRun } from "../model/observed-run.js";
import type { Theme } from "../theme.js";
import type { Snapshot } from "../model/view-model.js";
import { panelOf, type ViewState } from "../model/view-state.js";
import { Help } from "./help.js";

export interface FrameProps {
  readonly snapshot: Snapshot;
  readonly theme: Theme;
  readonly columns: number;
  readonly rows: number;
}

/** One frame: never taller than `rows - 1`, never wider than `columns`, whatever the run holds. */
export function Frame({ snapshot, theme, columns, rows }: FrameProps): ReactElement {
  const { runs, view, now } = snapshot;
  const run = runs[view.shown]!;
  const numBlocks = run.state === null ? 0 : selectBlocks(run.state).length;
  const layout = useMemo(
    () => layoutFor(columns, rows, runs.length, numBlocks),
    [columns, rows, runs.length, numBlocks],
  );
  return (
    <ThemeContext.Provider value={theme}>
      <Box flexDirection="column" width={columns} height={Math.max(1, rows - 1)} overflow="hidden">
        {layout === null ? (
          <Line segments={[say(`the view needs ${SMALLEST.columns} x ${SMALLEST.rows}; q leaves, the run goes on`)]} />
        ) : (
          <RunFrame runs={runs} run={run} view={view} now={now} layout={layout} />
        )}
      </Box>
    </ThemeContext.Provider>
  );
}

interface RunFrameProps {
  readonly runs: readonly ObservedRun[];
  readonly run: ObservedRun;
  readonly view: ViewState;
  readonly now: number;
  readonly layout: Layout;
}

function RunFrame({ runs, run, view, now, layout }: RunFrameProps): ReactElement {
  const { state } = run;
  const { columns, height, tabRows, headerRows, footerRows } = layout;
  const bodyRows = height - tabRows - headerRows - footerRows;
  if (view.overlay) {
    const overlayRows = height - footerRows;
    return (
      <>
        {view.help ? (
          <Help rows={overlayRows} columns={columns} />
        ) : (
          <Overlay runs={runs} view={view} rows={overlayRows} columns={columns} />
        )}
        <Footer run={run} view={view} />
      </>
    );
  }
  if (state === null) return <Line segments={[say(`waiting for the journal of ${run.runFolder}`)]} />;
  return (
    <>
      {tabRows > 0 && <Tabs runs={runs} shown={view.shown} />}
      <Header run={run} state={state} now={now} columns={columns} />
      {view.help ? (
        <Help rows={bodyRows} columns={columns} />
      ) : layout.kind === "full" ? (
        <FullBody run={run} state={state} view={view} layout={layout} />
      ) : (
        <CompactBody run={run} state={state} view={view} layout={layout} />
      )}
      <Footer run={run} view={view} />
    </>
  );
}

function Tabs({ runs, shown }: { readonly runs: readonly ObservedRun[]; readonly shown: number }): ReactElement {
  return (
    <Line
      segments={runs.map((run, index) => {
        const name = run.state?.run ?? run.runFolder;
        return index === shown ? say(`[${index + 1} ${name}] `, "strong") : say(` ${index + 1} ${name}  `, "dim");
      })}
    />
  );
}

interface BodyProps {
  readonly run: ObservedRun;
  readonly state: State;
  readonly view: ViewState;
  readonly layout: Layout;
}

/** Drawn anew for another state, view or size; a clock that ticks is in the header alone. */
const FullBody = memo(function FullBody({ run, state, view, layout }: BodyProps): ReactElement {
  const { glyphs } = useTheme();
  const { chartColumns, sideColumns, signalRows, lossRows, logRows, columns } = layout;
  return (
    <>
      <Box height={signalRows + lossRows} flexShrink={0}>
        <Box flexDirection="column" width={chartColumns} flexShrink={0}>
          <Pictures
            state={state}
            curves={run.curves}
            view={view}
            columns={chartColumns}
            signalRows={signalRows}
            lossRows={lossRows}
          />
        </Box>
        <Box flexDirection="column" width={2} flexShrink={0}>
          {Array.from({ length: signalRows + lossRows }, (_, row) => (
            <Line key={row} segments={[say(` ${glyphs.separator}`, "dim")]} />
          ))}
        </Box>
        <Box flexDirection="column" width={sideColumns} flexShrink={0}>
          <DetectorPanel state={state} rows={layout.detectorRows} columns={sideColumns} />
          <BlockPanel state={state} rows={layout.blockRows} columns={sideColumns} />
          <ResultPanel state={state} rows={layout.resultRows} columns={sideColumns} />
        </Box>
      </Box>
      <DecisionLog log={run.log} rows={logRows} columns={columns} titled />
    </>
  );
});

interface PicturesProps {
  readonly state: State;
  readonly curves: Curves;
  readonly view: ViewState;
  readonly columns: number;
  readonly signalRows: number;
  readonly lossRows: number;
}

/** Both charts, or where there is room for one the picture that matters now; the table of results in their place. */
function Pictures({ state, curves, view, columns, signalRows, lossRows }: PicturesProps): ReactElement {
  const { logarithmic, average } = view;
  const panel = panelOf(view, state, lossRows > 0);
  const ofBlocks = panel === "blocks" ? selectBlockSignals(state) : null;
  if (ofBlocks !== null) return <BlockSignalPanel signals={ofBlocks} rows={signalRows + lossRows} columns={columns} />;
  if (panel === "results") return <ResultPanel state={state} rows={signalRows + lossRows} columns={columns} />;
  const shared = { state, columns, average };
  if (panel === "loss") return <LossChart {...shared} curve={curves.loss} rows={signalRows} />;
  return (
    <>
      <SignalChart {...shared} curve={curves.signal} rows={signalRows} logarithmic={logarithmic} />
      {lossRows > 0 && <LossChart {...shared} curve={curves.loss} rows={lossRows} />}
    </>
  );
}

const CompactBody = memo(function CompactBody({ run, state, view, layout }: BodyProps): ReactElement {
  const { columns, signalRows, lossRows, logRows } = layout;
  return (
    <>
      <Pictures
        state={state}
        curves={run.curves}
        view={view}
        columns={columns}
        signalRows={signalRows}
        lossRows={lossRows}
      />
      <DetectorLines state={state} />
      <BlockLine state={state} columns={columns} />
      <DecisionLog log={run.log} rows={logRows} columns={columns} titled={false} />
    </>
  );
});
