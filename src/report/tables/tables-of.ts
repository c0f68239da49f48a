import type { Sweep } from "../../sweep/swept-run.js";
import type { ConfigOf } from "./contests.js";
import { kTable } from "./k-table.js";
import { paperTables } from "./paper-tables.js";
import { everyScoreTable, scoresTable } from "./scores-table.js";
import type { Table } from "./table.js";
import { winningRateTable } from "./winning-rate-table.js";

export interface TablesOptions {
  /** Without it no table of the paper is made: which experiment a run is of stands in its configuration only. */
  readonly configOf?: ConfigOf;
}

/** Every table that a sweep has something for; the one that answers first comes first. */
export function tablesOf(sweep: Sweep, { configOf = () => null }: TablesOptions = {}): Table[] {
  const tables = [scoresTable(sweep), winningRateTable([sweep], configOf), kTable(sweep), everyScoreTable(sweep)];
  return [...tables.filter((table) => table !== null), ...paperTables([sweep], configOf)];
}

/** Tables over several sweeps, such as one for each data set: the pooled winning rate, and the paper's tables. */
export function tablesOver(sweeps: readonly Sweep[], { configOf = () => null }: TablesOptions = {}): Table[] {
  const pooled = winningRateTable(sweeps, configOf);
  return [...(pooled === null ? [] : [pooled]), ...paperTables(sweeps, configOf)];
}
