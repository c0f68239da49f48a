import type { Table } from "../tables/table.js";

/** The table itself, with all its digits; numbers are finite, so that every reader of JSON takes them. */
export function renderJson(table: Table): string {
  return `${JSON.stringify(table, null, 2)}\n`;
}
