import { markLetters } from "../render/mark-letters.js";
import { cellText } from "../tables/cell-text.js";
import { decimalsOf } from "../tables/number-words.js";
import { ranksOf, type Rank } from "../tables/ranks.js";
import type { Cell, Column, Table } from "../tables/table.js";
import { markup, NOTHING, type Html } from "./html.js";

/** A table of the table model; the best of a column in bold, the second in italics. */
export function tableHtml(table: Table): Html {
  const letters = markLetters(table);
  const ranks = ranksOf(table);
  const head = table.columns.map(
    (column, index) =>
      markup`<th scope="col" class="number">${headingOf(column)}${raised(letters.ofColumn[index]!)}</th>`,
  );
  const rows = table.rows.map(({ label, cells }, row) => {
    const shown = cells.map((cell, index) => {
      const text = cellOf(cell, table.columns[index]!, ranks[row]![index]!);
      return markup`<td class="number">${text}${raised(letters.ofCell[row]![index]!)}</td>`;
    });
    return markup`<tr><th scope="row">${label}${raised(letters.ofRow[row]!)}</th>${shown}</tr>\n`;
  });
  const below = [
    ...letters.legend.map(({ letter, words }) => markup`<li><sup>${letter}</sup> ${words}</li>`),
    ...table.notes.map((note) => markup`<li>${note}</li>`),
  ];
  return markup`<h3>${table.caption}</h3>
    <div class="scroll" tabindex="0"><table id="table-${table.name}">
      <thead><tr><th scope="col">${table.stub}</th>${head}</tr></thead>
      <tbody>${rows}</tbody>
    </table></div>
    ${below.length === 0 ? NOTHING : markup`<ul class="below">${below}</ul>`}`;
}

function headingOf({ heading, unit, shown }: Column): string {
  return unit === "share" && shown !== "text" ? `${heading} (%)` : heading;
}

function cellOf(cell: Cell, column: Column, rank: Rank): Html | string {
  if (cell.text !== null) return cell.text;
  const { text, isMean } = cellText(cell, column, decimalsOf(column));
  if (isMean && rank === "best") return markup`<b>${text}</b>`;
  return isMean && rank === "second" ? markup`<i>${text}</i>` : text;
}

function raised(letters: string): Html {
  return letters === "" ? NOTHING : markup`<sup>${letters}</sup>`;
}
