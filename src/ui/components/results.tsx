import type { ReactElement } from "react";
import { selectEvaluation, type SplitScore } from "../../core/selectors.js";
import type { State } from "../../core/state.js";
import { formatCost, formatInteger, singleLine } from "../format.js";
import type { Segment } from "../theme.js";
import { Line, Rows, say, Title } from "./line.js";

interface ResultsProps {
  readonly state: State;
  readonly rows: number;
  readonly columns: number;
}

/** Scores as they come in: in-distribution, the mean over the corruptions so far, then each of them. */
export function ResultPanel({ state, rows, columns }: ResultsProps): ReactElement {
  const evaluation = selectEvaluation(state);
  if (evaluation === null) return <TimePanel state={state} rows={rows} columns={columns} />;
  const { step, inDist, ood, oodMean, regenerated, complete } = evaluation;
  const images = ood[0]?.numExamples ?? 0;
  const soFar = complete ? "" : ", so far";
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`evaluation, step ${step}`}
          note={regenerated ? "regenerated" : ""}
          columns={columns}
        />,
        ...inDist.map((score) => (
          <Line
            key={score.split}
            segments={[...describeScore(score, 16), say(` % of ${formatInteger(score.numExamples)}`, "dim")]}
          />
        )),
        ...(oodMean === null
          ? []
          : [
              <Line
                key="ood"
                segments={[
                  say(" ood mean".padEnd(18), "strong"),
                  say((oodMean * 100).toFixed(2).padStart(6), "strong"),
                  say(` % of ${ood.length} x ${formatInteger(images)} images${soFar}`, "dim"),
                ]}
              />,
            ]),
        ...tabulate(ood, rows - 2 - inDist.length, columns),
      ]}
    </Rows>
  );
}

/** A name such as `jpeg_compression` and a score. */
const CELL_COLUMNS = 24;
const WIDEST_CELL_COLUMNS = 28;

/** As many columns as fit and are needed, filled from top to bottom. */
function tabulate(scores: readonly SplitScore[], rows: number, columns: number): ReactElement[] {
  const most = Math.max(1, Math.floor(columns / CELL_COLUMNS));
  const across = Math.min(most, Math.max(1, Math.ceil(scores.length / Math.max(1, rows))));
  const down = Math.max(1, Math.ceil(scores.length / across));
  const cell = Math.max(CELL_COLUMNS, Math.min(WIDEST_CELL_COLUMNS, Math.floor(columns / across)));
  return Array.from({ length: down }, (_, row) => (
    <Line
      key={`row ${row}`}
      segments={Array.from({ length: across }, (_, column) => scores[column * down + row]).flatMap((score) =>
        score === undefined ? [] : [...describeScore(score, 16), say(" ".repeat(cell - CELL_COLUMNS))],
      )}
    />
  ));
}

function describeScore({ split, value }: SplitScore, nameColumns: number): Segment[] {
  const name = singleLine(split).slice(0, nameColumns).padEnd(nameColumns);
  return [say(` ${name} `), say((value === null ? "?" : (value * 100).toFixed(2)).padStart(6))];
}

/** Before there are results: where the time goes. */
function TimePanel({ state, rows, columns }: ResultsProps): ReactElement {
  const { train, probe, wait, evaluate, checkpoint } = state.seconds;
  const share = (seconds: number): string => (train > 0 ? `${((seconds / train) * 100).toFixed(1)} % of training` : "");
  const line = (name: string, seconds: number, note: string): ReactElement => (
    <Line
      key={name}
      segments={[say(` ${name.padEnd(16)}`), say(formatCost(seconds).padStart(10)), say(`  ${note}`, "dim")]}
    />
  );
  return (
    <Rows height={rows}>
      {[
        <Title key="title" text="time" note="as of the last boundary" columns={columns} />,
        line("training", train, ""),
        line("signals", probe, share(probe)),
        line("controller wait", wait, share(wait)),
        line("evaluation", evaluate, ""),
        line("checkpoints", checkpoint, share(checkpoint)),
      ]}
    </Rows>
  );
}
