import { Box } from "ink";
import type { ReactElement } from "react";
import { secondsLeftOf } from "../../reading/time-left.js";
import { isDone, type RunStanding } from "../../reading/run-standing.js";
import { formatCount, formatDuration, shortPath } from "../../words/format.js";
import type { Role, Segment } from "../../words/role.js";
import { describeJobs } from "../../words/slurm-jobs.js";
import { unitOfScore } from "../../words/sweep-cells.js";
import { elapsedOf, type SweepSnapshot } from "../model/sweep-model.js";
import { Line, say, useTheme } from "./line.js";

export const STANDING_ROLES: Readonly<Record<RunStanding, Role>> = {
  finished: "good",
  taken: "good",
  running: "waiting",
  interrupted: "warning",
  failed: "failure",
  pending: "dim",
};

export const SWEEP_HEADER_ROWS = 3;
const BAR_COLUMNS = { narrow: 12, wide: 30 } as const;
/** After what is done: what needs a look first. */
const COUNTED: readonly RunStanding[] = ["failed", "running", "interrupted", "pending", "taken"];

/** Three rows: which sweep, how far it is, how long it takes. */
export function SweepHeader({ snapshot, columns }: { snapshot: SweepSnapshot; columns: number }): ReactElement {
  const { sweep, now } = snapshot;
  const scale = sweep.scale === null ? "" : ` (scale ${sweep.scale})`;
  return (
    <Box flexDirection="column" height={SWEEP_HEADER_ROWS} flexShrink={0}>
      <Box height={1} width={columns} justifyContent="space-between">
        <Box flexDirection="column" flexShrink={1} overflow="hidden">
          <Line
            segments={[say(`${sweep.name}${scale}`, "strong"), say(`  sweep in ${shortPath(sweep.folder)}`, "dim")]}
          />
        </Box>
        <Box flexShrink={0} marginLeft={1}>
          <Line segments={[say(elapsedOf(snapshot, now), "strong")]} />
        </Box>
      </Box>
      <CountsLine snapshot={snapshot} columns={columns} />
      <Line segments={[say(timeOf(snapshot))]} />
    </Box>
  );
}

function CountsLine({ snapshot: { sweep }, columns }: { snapshot: SweepSnapshot; columns: number }): ReactElement {
  const { glyphs } = useTheme();
  const count = (which: RunStanding): number => sweep.runs.filter(({ standing }) => standing === which).length;
  const done = sweep.runs.filter(({ standing }) => isDone(standing)).length;
  const length = columns >= 100 ? BAR_COLUMNS.wide : BAR_COLUMNS.narrow;
  const filled = Math.floor((done / Math.max(1, sweep.runs.length)) * length);
  const counts = COUNTED.filter((which) => count(which) > 0).map((which): Segment => {
    return say(`  ${glyphs.standing[which]} ${count(which)} ${which}`, STANDING_ROLES[which]);
  });
  return (
    <Line
      segments={[
        say(glyphs.barDone.repeat(filled), "live"),
        say(glyphs.barLeft.repeat(length - filled), "dim"),
        say(`  ${done} of ${sweep.runs.length} done`, "strong"),
        ...counts,
      ]}
    />
  );
}

/** `about 34 min left, 2 runs at a time; job 12: 2 running, 5 pending (Resources); score ood/mean in %` */
function timeOf({ sweep, places }: SweepSnapshot): string {
  const running = sweep.runs.filter(({ standing }) => standing === "running").length;
  const isLeft = sweep.runs.some(({ standing }) => ["running", "interrupted", "pending"].includes(standing));
  const left = secondsLeftOf(sweep.runs, places ?? running);
  const time = !isLeft
    ? "nothing is left to do"
    : running === 0
      ? `nobody works at it; about ${left === null ? "unknown time" : formatDuration(left)} one after the other`
      : left === null
        ? "time left unknown until a run has finished"
        : `about ${formatDuration(left)} left`;
  const atATime = places === null ? "" : `, ${formatCount(places, "run")} at a time`;
  const score = sweep.score === null ? [] : [`score ${sweep.score}${unitOfScore(sweep.score)}`];
  return [`${time}${atATime}`, ...describeJobs(sweep.jobs), ...score].join("; ");
}
