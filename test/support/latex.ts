/**
 * A strict reader of what our LaTeX may hold: comments, one `tabular` with the rules of booktabs, rows of as many cells
 * as there are columns, braces and mathematics that close, and no command but the known ones.
 */
const COMMANDS = new Set(
  (
    "begin end toprule midrule bottomrule par smallskip footnotesize raggedright mathbf underline bfseries itshape pm " +
    "textbackslash textasciitilde textasciicircum ensuremath char textendash textemdash dots times div le ge " +
    "alpha beta delta epsilon lambda rho sigma tau"
  ).split(" "),
);
const SYMBOLS = "\\{}$&#%_,";

export interface ReadTabular {
  readonly specification: string;
  /** Cells as they stand there. */
  readonly rows: readonly (readonly string[])[];
  readonly comments: readonly string[];
}

/** @throws Error that says what no LaTeX, or none of ours, would take */
export function readTabular(source: string): ReadTabular {
  const lines = source.split("\n");
  const comments = lines.filter((line) => line.startsWith("%"));
  const text = lines.filter((line) => !line.startsWith("%")).join("\n");
  if (/\n\n(?!\\par)/.test(text.trimEnd())) throw new Error("a paragraph ends where none should");
  checkTokens(text);
  const found =
    /^\\begin\{tabular\}\{((?:[lcr]|S\[table-format=-?\d+\.\d+(?:\(\d+\))?\])+)\}\n([^]*?)\n\\end\{tabular\}/.exec(
      text,
    );
  if (found === null) throw new Error("it does not begin with a tabular");
  const [, specification, body] = found;
  const width = specification!.replace(/\[[^\]]*\]/g, "").length;
  const rows = body!
    .split("\n")
    .filter((line) => !["\\toprule", "\\midrule", "\\bottomrule"].includes(line))
    .map((line) => {
      if (!line.endsWith(" \\\\")) throw new Error(`no end of a row: ${line}`);
      if (/^\s*[[*]/.test(line)) throw new Error(`an argument of the row before: ${line}`);
      return line.slice(0, -3).split(/(?<!\\) & /);
    });
  for (const row of rows) {
    if (row.length !== width) throw new Error(`${row.length} cells in ${width} columns: ${row.join(" | ")}`);
  }
  return { specification: specification!, rows, comments };
}

/** Walks over everything that means something to TeX. */
function checkTokens(text: string): void {
  let depth = 0;
  let inMath = false;
  for (let place = 0; place < text.length; place++) {
    const character = text[place]!;
    const rest = text.slice(place);
    if (character === "\\") {
      const [, word] = /^\\([A-Za-z]+)/.exec(rest) ?? [];
      const symbol = rest[1] ?? "";
      if (word === undefined && !SYMBOLS.includes(symbol)) throw new Error(`unknown command: ${rest.slice(0, 12)}`);
      if (word !== undefined && !COMMANDS.has(word)) throw new Error(`unknown command: \\${word}`);
      place += word?.length ?? 1;
    } else if (character === "{") depth += 1;
    else if (character === "}") depth -= 1;
    else if (character === "$") inMath = !inMath;
    else if ((character === "_" || character === "^") && !inMath)
      throw new Error(`only in mathematics: ${rest.slice(0, 12)}`);
    else if (character === "&" && (depth !== 0 || inMath) && !isInTabular(text, place))
      throw new Error("a & in a group");
    else if ("#%~".includes(character)) throw new Error(`it means something: ${rest.slice(0, 12)}`);
    else if (!/[\n -~À-ÿ]/.test(character)) throw new Error(`no common font has ${character}`);
    if (depth < 0) throw new Error(`a brace too many: ${rest.slice(0, 12)}`);
  }
  if (depth !== 0 || inMath) throw new Error("a brace or mathematics that does not close");
}

function isInTabular(text: string, place: number): boolean {
  return text.lastIndexOf("\\begin{tabular}", place) > text.lastIndexOf("\\end{tabular}", place);
}

/** What a reader sees of plain text that `escapeLatex` has written. */
export function readLatexText(latex: string): string {
  const words: Readonly<Record<string, string>> = {
    "\\textbackslash{}": "\\",
    "\\textasciitilde{}": "~",
    "\\textasciicircum{}": "^",
    "\\char34{}": '"',
    "\\char96{}": "`",
    "\\ensuremath{<}": "<",
    "\\ensuremath{>}": ">",
    "\\ensuremath{|}": "|",
  };
  return latex.replace(
    /\\textbackslash\{\}|\\text[a-z]+\{\}|\\char\d+\{\}|\\ensuremath\{[<>|]\}|\\[{}$&#%_]|\{\}/g,
    (found) => (found === "{}" ? "" : (words[found] ?? found.slice(1))),
  );
}
