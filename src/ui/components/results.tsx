import type { ReactElement } from "react";
import {
  selectEvaluation,
  type EvaluationView,
  type MeanScore,
  type SplitScore,
} from "../../reading/evaluation-view.js";
import type { State } from "../../core/state.js";
import { formatCost, formatInteger } from "../../words/format.js";
import { singleLine } from "../../printable.js";
import { describeOrigin } from "../../words/names.js";
import type { Segment } from "../../words/role.js";
import { Line, Rows, say, Title } from "./line.js";

/** Those of `elastic_transform`. */
const NAME_COLUMNS = 17;

interface ResultsProps {
  readonly state: State;
  readonly rows: number;
  readonly columns: number;
}

/** Scores as they come in: in-distribution, means over the corruptions or the languages so far, then each of them. */
export function ResultPanel({ state, rows, columns }: ResultsProps): ReactElement {
  const evaluation = selectEvaluation(state);
  if (evaluation === null) return <TimePanel state={state} rows={rows} columns={columns} />;
  const { step, score: name, inDist, ood, means, origin } = evaluation;
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`evaluation${name === "accuracy" ? "" : ` by ${singleLine(name)}`}, step ${step}`}
          note={describeOrigin(origin)}
          columns={columns}
        />,
        ...inDist.map((score) => (
          <Line
            key={score.split}
            segments={[...describeScore(score), say(` % of ${formatInteger(score.numExamples)}`, "dim")]}
          />
        )),
        ...means.map((mean) => <Line key={`mean ${mean.testSet ?? ""}`} segments={describeMean(mean, evaluation)} />),
        ...tabulate(ood, rows - 1 - means.length - inDist.length, columns),
      ]}
    </Rows>
  );
}

function describeMean({ testSet, value, numCompared }: MeanScore, { ood, complete }: EvaluationView): Segment[] {
  const name = testSet === null ? "ood mean" : `${singleLine(testSet)} X-ling`;
  const images = `x ${formatInteger(ood[0]?.numExamples ?? 0)} images`;
  const of = `${numCompared} ${testSet === null ? images : numCompared === 1 ? "language" : "languages"}`;
  return [
    say(` ${name.slice(-NAME_COLUMNS).padEnd(NAME_COLUMNS + 1)}`, "strong"),
    say((value * 100).toFixed(2).padStart(6), "strong"),
    say(` % of ${of}${complete ? "" : ", so far"}`, "dim"),
  ];
}

/** A name and a score. */
const CELL_COLUMNS = NAME_COLUMNS + 8;
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
        score === undefined ? [] : [...describeScore(score), say(" ".repeat(cell - CELL_COLUMNS))],
      )}
    />
  ));
}

/** In brackets where it does not count in the mean. */
function describeScore({ split, value, provenance }: SplitScore): Segment[] {
  const name = singleLine(split).slice(0, NAME_COLUMNS).padEnd(NAME_COLUMNS);
  const percent = value === null ? null : value * 100;
  if (provenance.leftOut !== null)
    return [say(` ${name} `, "dim"), say(`(${percent?.toFixed(1) ?? "-"})`.padStart(6), "dim")];
  return [say(` ${name} `), say((percent?.toFixed(2) ?? "?").padStart(6))];
}

/** Before there are results: where the time goes. */
function TimePanel({ state, rows, columns }: ResultsProps): ReactElement {
  const { train, probe, wait, evaluate, checkpoint } = state.progress.seconds;
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
        line("measuring", probe, share(probe)),
        line("controller wait", wait, share(wait)),
        line("evaluation", evaluate, ""),
        line("checkpoints", checkpoint, share(checkpoint)),
      ]}
    </Rows>
  );
}
