/** Rows and columns of each part. The sum of the rows is the height of the frame, so nothing overflows. */
export interface Layout {
  readonly kind: "compact" | "full";
  readonly columns: number;
  /** Of the whole frame: one less than the terminal has, since a taller frame makes Ink clear the screen each time. */
  readonly height: number;
  readonly tabRows: number;
  readonly headerRows: number;
  /** Chart of the signal, with its title. */
  readonly signalRows: number;
  /** Chart of the loss, with its title; 0: not shown. */
  readonly lossRows: number;
  readonly chartColumns: number;
  /** Column beside the charts (full) or rows below them (compact). */
  readonly sideColumns: number;
  readonly detectorRows: number;
  readonly blockRows: number;
  /** What is left of the side column for results and times. */
  readonly resultRows: number;
  readonly logRows: number;
  readonly footerRows: number;
}

export const SMALLEST = { columns: 60, rows: 16 } as const;

const HEADER_ROWS = 3;
const FOOTER_ROWS = 1;
const DETECTOR_ROWS = 8;
/** Of the side column: its longest sentence just fits. */
const SIDE_COLUMNS = { least: 48, most: 60 } as const;
const FULL_FROM = { columns: 110, bodyRows: 24 } as const;

/** Null when the terminal is too small for a frame that says anything. */
export function layoutFor(columns: number, rows: number, numRuns: number, numBlocks: number): Layout | null {
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return null;
  const tabRows = numRuns > 1 ? 1 : 0;
  const height = rows - 1;
  const body = height - HEADER_ROWS - FOOTER_ROWS - tabRows;
  const shared = { columns, height, tabRows, headerRows: HEADER_ROWS, footerRows: FOOTER_ROWS };
  return columns >= FULL_FROM.columns && body >= FULL_FROM.bodyRows
    ? fullLayout(shared, body, numBlocks)
    : compactLayout(shared, body);
}

type Shared = Pick<Layout, "columns" | "height" | "tabRows" | "headerRows" | "footerRows">;

/** Charts on the left, the detector, the blocks and the results on the right, the log below. */
function fullLayout(shared: Shared, body: number, numBlocks: number): Layout {
  const logRows = Math.min(11, Math.max(5, Math.floor(body * 0.2)));
  const upper = body - logRows;
  const sideColumns = Math.min(SIDE_COLUMNS.most, Math.max(SIDE_COLUMNS.least, Math.floor(shared.columns * 0.4)));
  const signalRows = Math.ceil(upper * 0.6);
  const blockRows = Math.min(numBlocks + 1, Math.floor((upper - DETECTOR_ROWS) * 0.6));
  return {
    ...shared,
    kind: "full",
    signalRows,
    lossRows: upper - signalRows,
    chartColumns: shared.columns - sideColumns - 2,
    sideColumns,
    detectorRows: DETECTOR_ROWS,
    blockRows,
    resultRows: upper - DETECTOR_ROWS - blockRows,
    logRows,
  };
}

/** Everything below each other: the chart gets what the few lines of text leave. */
function compactLayout(shared: Shared, body: number): Layout {
  const detectorRows = 2;
  const blockRows = 1;
  const rest = body - detectorRows - blockRows;
  const logRows = Math.min(8, Math.max(2, Math.round(rest * 0.25)));
  const charts = rest - logRows;
  const lossRows = charts >= 18 ? Math.floor(charts * 0.4) : 0;
  return {
    ...shared,
    kind: "compact",
    signalRows: charts - lossRows,
    lossRows,
    chartColumns: shared.columns,
    sideColumns: shared.columns,
    detectorRows,
    blockRows,
    resultRows: 0,
    logRows,
  };
}
