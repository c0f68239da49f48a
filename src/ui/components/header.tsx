import { Box } from "ink";
import type { ReactElement } from "react";
import { selectProbeShare, selectSecondsLeft, selectStep, selectUpdatesPerSecond } from "../../reading/selectors.js";
import type { State } from "../../core/state.js";
import { describeBudget } from "../../words/budget.js";
import { formatClock, formatDuration, formatMetric, formatNumber, formatShare } from "../../words/format.js";
import { headlineOf } from "../../words/headline.js";
import { describeConfig } from "../../words/names.js";
import {
  completedShare,
  describeSilence,
  elapsedSeconds,
  silentSeconds,
  type ObservedRun,
} from "../model/observed-run.js";
import type { Segment } from "../../words/role.js";
import { Line, say, useTheme } from "./line.js";

interface HeaderProps {
  readonly run: ObservedRun;
  readonly state: State;
  readonly now: number;
  readonly columns: number;
}

/** Three rows: which run, what it does and why, how far it is and what that costs. */
export function Header({ run, state, now, columns }: HeaderProps): ReactElement {
  const headline = headlineOf(state);
  const silent = silentSeconds(run, now);
  return (
    <Box flexDirection="column" height={3} flexShrink={0}>
      <RunLine run={run} state={state} now={now} columns={columns} />
      <Line
        segments={[
          say(headline.badge, headline.role),
          say("  "),
          silent === null
            ? say(headline.text, "strong")
            : say(`nothing was journaled for ${describeSilence(silent)}: is its controller gone?`, "warning"),
        ]}
      />
      <ProgressLine state={state} columns={columns} />
    </Box>
  );
}

function RunLine({ run, state, now, columns }: HeaderProps): ReactElement {
  const device = state.model === null ? "" : `, ${state.model.device}`;
  const attempts = state.attempts.launched > 1 ? `attempt ${state.attempts.launched}  ` : "";
  return (
    <Box height={1} width={columns} justifyContent="space-between">
      <Box flexDirection="column" flexShrink={1} overflow="hidden">
        <Line segments={[say(state.run, "strong"), say(`  ${describeConfig(state.config)}${device}`, "dim")]} />
      </Box>
      <Box flexShrink={0} marginLeft={1}>
        <Line segments={[say(attempts, "warning"), say(formatClock(elapsedSeconds(run, now)), "strong")]} />
      </Box>
    </Box>
  );
}

const BAR_COLUMNS = { narrow: 12, wide: 30 } as const;

/** Facts in the order of their worth: a narrow terminal cuts the last ones. */
function ProgressLine({ state, columns }: { readonly state: State; readonly columns: number }): ReactElement {
  const { glyphs } = useTheme();
  const share = completedShare(state);
  const length = columns >= 100 ? BAR_COLUMNS.wide : BAR_COLUMNS.narrow;
  const done = Math.round((share ?? 0) * length);
  const bar: Segment[] = [say(glyphs.barDone.repeat(done), "live"), say(glyphs.barLeft.repeat(length - done), "dim")];
  const facts = describeProgressFacts(state);
  return <Line segments={[...(share === null ? [] : [...bar, say("  ")]), say(facts.join("  "))]} />;
}

function describeProgressFacts(state: State): string[] {
  const { model, config } = state;
  const { latest: progress } = state.progress;
  const step = selectStep(state);
  const total = model?.numUpdates ?? null;
  const rate = selectUpdatesPerSecond(state);
  const left = selectSecondsLeft(state);
  const probes = selectProbeShare(state);
  const loss = state.progress.loss?.loss ?? null;
  const facts = [total === null ? `${step} updates` : `${step}/${total} updates`];
  if (left !== null && left > 0) facts.push(`${formatDuration(left)} left`);
  if (rate !== null && state.end === null) facts.push(`${formatNumber(rate)}/s`);
  if (loss !== null) facts.push(`loss ${formatMetric(loss)}`);
  if (probes !== null) facts.push(`probes +${formatShare(probes)}${describeBudget(state)}`);
  if (model?.updatesPerEpoch != null) facts.push(`epoch ${(step / model.updatesPerEpoch).toFixed(2)}`);
  const batchSize = config.train?.batch_size;
  if (batchSize !== undefined && rate !== null && state.end === null) {
    facts.push(`${formatNumber(rate * batchSize)} samples/s`);
  }
  if (progress !== null && progress.phase !== "train" && state.end === null) facts.push(`now: ${progress.phase}`);
  return facts;
}
