import { bounds, decimalsOf, fixed, inUnit, signed } from "../tables/number-words.js";
import { ranksOf, type Rank } from "../tables/ranks.js";
import type { Cell, Column, Table } from "../tables/table.js";
import { escapeLatex, latexComment } from "./latex-text.js";
import { markLetters } from "./mark-letters.js";
import type { RenderOptions } from "./render-table.js";

/**
 * As LaTeX to be put into a `table` by `\input`: a `tabular` with the rules of booktabs, and below it what its marks mean
 * and its notes. Caption and label are in comments. The best is bold, the second best underlined.
 */
export function renderLatex(table: Table, options: RenderOptions = {}): string {
  const letters = markLetters(table);
  const ranks = ranksOf(table, options.digits);
  const columns = table.columns.map((column, index) => columnForm(column, cellsOf(table, index), options));
  const head = [
    escapeLatex(table.stub),
    ...table.columns.map((column, index) =>
      inBraces(headingOf(column) + raised(letters.ofColumn[index]!), columns[index]!),
    ),
  ];
  const rows = table.rows.map(({ label, cells }, row) => [
    escapeLatex(label) + raised(letters.ofRow[row]!),
    ...cells.map((cell, index) => {
      const form = columns[index]!;
      const rank = ranks[row]![index]!;
      return cellText(cell, table.columns[index]!, { form, rank, mark: letters.ofCell[row]![index]!, options });
    }),
  ]);
  return [
    ...headComments(table, columns, options),
    `\\begin{tabular}{l${columns.map(({ specification }) => specification).join("")}}`,
    "\\toprule",
    lineOf(head),
    "\\midrule",
    ...rows.map(lineOf),
    "\\bottomrule",
    "\\end{tabular}",
    ...below(table, letters.legend),
    "",
  ].join("\n");
}

/** How a column is set: `S` aligns numbers by siunitx, and takes nothing else without braces. */
interface ColumnForm {
  readonly specification: string;
  readonly isAligned: boolean;
}

function cellsOf({ rows }: Table, index: number): Cell[] {
  return rows.map(({ cells }) => cells[index]!);
}

function columnForm(column: Column, cells: readonly Cell[], { siunitx, digits }: RenderOptions): ColumnForm {
  if (column.shown === "text" || column.shown === "points") return { specification: "l", isAligned: false };
  const numbers = cells.flatMap(({ value, text }) => (value === null || text !== null ? [] : [value]));
  const isAligned = siunitx === true && column.shown === "mean" && numbers.length > 0;
  if (!isAligned) return { specification: "c", isAligned };
  const decimals = decimalsOf(column, digits);
  const places = (value: number): number => fixed(Math.abs(value), column, decimals).split(".")[0]!.length;
  const sign = numbers.some((value) => inUnit(value, column.unit) < 0) ? "-" : "";
  const deviations = cells.flatMap(({ standardDeviation }) => standardDeviation ?? []);
  const uncertain = deviations.map((one) => uncertainty(one, column, decimals).length);
  const bracket = uncertain.length === 0 ? "" : `(${Math.max(...uncertain)})`;
  const format = `${sign}${Math.max(...numbers.map(places))}.${decimals}${bracket}`;
  return { specification: `S[table-format=${format}]`, isAligned };
}

/** A deviation in units of the last digit, as `93.32(10)` has it. */
function uncertainty(deviation: number, column: Column, decimals: number): string {
  return String(Math.round(inUnit(deviation, column.unit) * 10 ** decimals));
}

interface Setting {
  readonly form: ColumnForm;
  readonly rank: Rank;
  readonly mark: string;
  readonly options: RenderOptions;
}

function cellText(cell: Cell, column: Column, { form, rank, mark, options }: Setting): string {
  const { value, interval, points, text } = cell;
  const decimals = decimalsOf(column, options.digits);
  const plain = (words: string): string => inBraces(words + raised(mark), form);
  if (text !== null) return plain(escapeLatex(text));
  if (column.shown === "points") {
    return points.length === 0
      ? plain("--")
      : plain(points.map((one) => inMath(fixed(one.value, column, decimals))).join(", "));
  }
  if (value === null) return plain("--");
  if (column.shown === "difference" || column.shown === "interval") {
    const isDifference = column.shown === "difference";
    const centre = inMath((isDifference ? signed : fixed)(value, column, decimals));
    if (interval === null) return plain(centre);
    return plain(`${centre} [${bounds(interval, column, decimals, isDifference).map(inMath).join(", ")}]`);
  }
  return form.isAligned
    ? alignedText(cell, column, decimals, rank, mark)
    : meanText(cell, column, decimals, rank, mark);
}

/** `$93.32_{\pm 0.10}$`. */
function meanText(
  { value, standardDeviation }: Cell,
  column: Column,
  decimals: number,
  rank: Rank,
  mark: string,
): string {
  const centre = fixed(value!, column, decimals);
  const emphasised = rank === "best" ? `\\mathbf{${centre}}` : rank === "second" ? `\\underline{${centre}}` : centre;
  const spread = standardDeviation === null ? "" : `_{\\pm ${fixed(standardDeviation, column, decimals)}}`;
  const raisedMark = mark === "" ? "" : `^{${mark}}`;
  return `$${emphasised}${spread}${raisedMark}$`;
}

/** `93.32(10)`, which siunitx shows as its settings say. */
function alignedText(
  { value, standardDeviation }: Cell,
  column: Column,
  decimals: number,
  rank: Rank,
  mark: string,
): string {
  const centre = fixed(value!, column, decimals);
  const spread = standardDeviation === null ? "" : `(${uncertainty(standardDeviation, column, decimals)})`;
  const emphasis = rank === "best" ? "\\bfseries " : rank === "second" ? "\\itshape " : "";
  const behind = mark === "" ? "" : ` {${raised(mark)}}`;
  return `${emphasis}${centre}${spread}${behind}`;
}

function inBraces(words: string, { isAligned }: ColumnForm): string {
  return isAligned ? `{${words}}` : words;
}

function inMath(number: string): string {
  return `$${number}$`;
}

function raised(letters: string): string {
  return letters === "" ? "" : `$^{${letters}}$`;
}

function headingOf({ heading, unit, shown }: Column): string {
  const words = escapeLatex(heading);
  return unit === "share" && shown !== "text" ? `${words} (\\%)` : words;
}

function lineOf(cells: readonly string[]): string {
  // After the end of a row, and after a rule, an opening bracket or an asterisk would be an argument.
  const text = cells.join(" & ");
  return `${/^[[*]/.test(text) ? "{}" : ""}${text} \\\\`;
}

function headComments(table: Table, columns: readonly ColumnForm[], { version }: RenderOptions): string[] {
  const by = version === undefined ? "thawline" : `thawline ${version}`;
  const withSiunitx = columns.some(({ isAligned }) => isAligned);
  return [
    latexComment(`generated by ${by} from ${table.sources.join(", ")}; do not edit`),
    latexComment(`needs \\usepackage{booktabs}${withSiunitx ? " and \\usepackage{siunitx}" : ""}`),
    ...(withSiunitx
      ? [
          latexComment("siunitx 3: \\sisetup{uncertainty-mode=separate, text-series-to-math, text-family-to-math}"),
          latexComment("siunitx 2: \\sisetup{separate-uncertainty, detect-all}, and \\robustify\\bfseries (etoolbox)"),
        ]
      : []),
    `% \\caption{${escapeLatex(table.caption)}}`,
    `% \\label{tab:${labelOf(table)}}`,
  ];
}

/** Letters, digits and hyphens, so that no package takes a character for its own. */
function labelOf({ sources, name }: Table): string {
  return [...sources, name].map((part) => part.replace(/[^A-Za-z0-9]+/g, "-")).join("-");
}

/** In small print, since a number without it says too much. */
function below({ notes }: Table, legend: readonly { readonly letter: string; readonly words: string }[]): string[] {
  const marks = legend.map(({ letter, words }) => `${raised(letter)}\\,${escapeLatex(words)}.`);
  const lines = [...marks, ...notes.map(escapeLatex)];
  if (lines.length === 0) return [];
  return ["", "\\par\\smallskip", "{\\footnotesize\\raggedright", ...lines.map((line) => `${line}\\par`), "}"];
}
