export interface Series {
  readonly update: readonly number[];
  readonly value: readonly unknown[];
  readonly standard_error?: readonly unknown[];
}

export interface Summary {
  readonly id: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly what_if: readonly {
    readonly metric: string;
    readonly tau: number;
    readonly k_online: number | null;
    readonly k_offline: number | null;
  }[];
  readonly series: Readonly<Record<string, Series>>;
}

export function summarise(
  run: { readonly id: string; readonly config: string; readonly settings: readonly string[] },
  folder: string,
): Promise<Summary>;
