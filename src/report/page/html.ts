/** Text that is HTML already. Everything else that goes into a page is escaped where it goes in. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | readonly Part[];

/** HTML with values in it: texts are escaped, arrays are joined. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  return new Html(strings.map((text, index) => (index === 0 ? text : textOf(values[index - 1]!) + text)).join(""));
}

export const NOTHING = new Html("");

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return escapeHtml(String(part));
}

const NAMED: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Control characters, which no HTML may hold, become the sign for what cannot be shown. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => NAMED[sign]!).replace(/(?![\t\n\r])\p{Cc}/gu, "\ufffd");
}

/** A value as JSON inside a script element: nothing in it can end the element. */
export function jsonInScript(value: unknown): Html {
  return new Html(
    JSON.stringify(value).replace(
      /[<>&\u2028\u2029]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}

export interface Column {
  readonly title: string;
  readonly number?: boolean;
}

/** A table with a head; it scrolls by itself where it is wider than the page. */
export function table(columns: readonly Column[], rows: readonly (readonly Part[])[], caption = ""): Html {
  const classOf = (column: Column | undefined): Html => (column?.number === true ? markup` class="number"` : NOTHING);
  const said = caption === "" ? NOTHING : markup`<p class="caption">${caption}.</p>`;
  const cellsOf = (row: readonly Part[]): Html[] =>
    row.map((cell, index) => markup`<td${classOf(columns[index])}>${cell}</td>`);
  return markup`${said}
    <div class="scroll" tabindex="0">
      <table>
        <thead>
          <tr>${columns.map((column) => markup`<th scope="col"${classOf(column)}>${column.title}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map((row) => markup`<tr>${cellsOf(row)}</tr>\n`)}
        </tbody>
      </table>
    </div>`;
}

/** Rows of a name and a value. */
export function facts(rows: readonly (readonly [string, Part])[]): Html {
  return markup`<div class="scroll" tabindex="0">
    <table class="facts">
      <tbody>
        ${rows.map(
          ([name, value]) =>
            markup`<tr>
              <th scope="row">${name}</th>
              <td>${value}</td>
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

export type { Part };
