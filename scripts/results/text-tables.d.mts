/** What `summary.mjs` keeps of a run, as far as the tables read it. */
export interface RunSummary {
  readonly id: string;
  readonly results: {
    readonly k: { readonly value: number; readonly source: string } | null;
    readonly in_dist: { readonly f1: number } | null;
    readonly scores: Readonly<
      Record<string, { readonly per_language: Readonly<Record<string, { readonly f1: number }>> }>
    >;
    readonly probe_seconds: number;
    readonly train_seconds: number;
  };
  readonly what_if: readonly {
    readonly metric: string;
    readonly tau: number;
    readonly k_online: number | null;
    readonly k_offline: number | null;
    readonly flat: boolean;
  }[];
  readonly series: Readonly<Record<string, { readonly update: readonly number[]; readonly value: readonly number[] }>>;
}
export interface Table {
  readonly head: readonly (string | number)[];
  readonly rows: readonly (readonly (string | number)[])[];
}
export declare const TEXT_TABLES: Readonly<Record<string, (results: readonly RunSummary[]) => Table>>;
export declare function scoresOf(run: RunSummary): Readonly<Record<string, number>>;
export declare function bootstrapInterval(values: readonly number[], coverage?: number): [number, number] | null;
