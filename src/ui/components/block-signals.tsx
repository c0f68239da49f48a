import type { ReactElement } from "react";
import type { BlockSignal, BlockSignals } from "../../reading/block-signals.js";
import { singleLine } from "../../printable.js";
import { formatMetric } from "../../words/format.js";
import { signalName } from "../../words/names.js";
import { Line, Rows, say, Title, useTheme } from "./line.js";

interface BlockSignalsProps {
  readonly signals: BlockSignals;
  readonly rows: number;
  readonly columns: number;
}

const CELL_COLUMNS = 22;

/** One row a block, one column a metric, as of the last boundary; what does not fit is counted. */
export function BlockSignalPanel({ signals, rows, columns }: BlockSignalsProps): ReactElement {
  const { glyphs } = useTheme();
  const names = signals.rows.map(({ block }) => (block === null ? "all that trains" : singleLine(block)));
  const nameColumns = Math.min(18, Math.max(...names.map(({ length }) => length)));
  const across = Math.max(1, Math.floor((columns - nameColumns - 2) / CELL_COLUMNS));
  const metrics = signals.metrics.slice(0, across);
  const hidden = [
    [signals.metrics.length - metrics.length, "metrics"] as const,
    [signals.rows.length - Math.max(0, rows - 2), "blocks"] as const,
  ].flatMap(([count, what]) => (count > 0 ? `${what} ${count}` : []));
  const describe = (signal: BlockSignal | null | undefined): string => {
    if (signal === null || signal === undefined) return "";
    const error = signal.standardError === null ? "" : ` ${glyphs.plusMinus} ${formatMetric(signal.standardError, 2)}`;
    return `${formatMetric(signal.value)}${error}`;
  };
  const columnsOf = (texts: readonly string[]): string =>
    texts.map((text) => text.slice(0, CELL_COLUMNS - 1).padStart(CELL_COLUMNS)).join("");
  return (
    <Rows height={rows}>
      {[
        <Title
          key="title"
          text={`by block, update ${signals.update}`}
          note={hidden.length === 0 ? "" : `not shown: ${hidden.join(", ")}`}
          columns={columns}
        />,
        <Line
          key="metrics"
          segments={[say(" ".repeat(nameColumns + 2)), say(columnsOf(metrics.map(signalName)), "dim")]}
        />,
        ...signals.rows
          .slice(0, Math.max(0, rows - 2))
          .map(({ block, values }, index) => (
            <Line
              key={`${index} ${block ?? ""}`}
              segments={[
                say(
                  ` ${names[index]!.slice(0, nameColumns).padEnd(nameColumns)} `,
                  block === null ? "strong" : "plain",
                ),
                say(columnsOf(metrics.map((_, column) => describe(values[column])))),
              ]}
            />
          )),
      ]}
    </Rows>
  );
}
