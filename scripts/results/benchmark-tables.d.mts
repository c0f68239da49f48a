export interface Spread {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** A row as `npm run bench -- --json FILE` writes it, as far as the tables read it. */
export interface BenchmarkRow {
  readonly part: string;
  readonly what: string;
  readonly ratio: Spread;
  readonly target: { readonly at_least: number | null; readonly at_most: number | null } | null;
  readonly met: boolean | null;
  readonly sides: Readonly<Record<string, Spread>>;
  readonly settings: Readonly<Record<string, number | string>>;
}

export declare function cells(row: BenchmarkRow): (string | number)[];

export declare const BENCHMARK_TABLES: Readonly<
  Record<string, () => { readonly head: readonly string[]; readonly rows: readonly (string | number)[][] }>
>;
