export declare function evidenceOf(runFolder: string): Promise<Readonly<Record<string, unknown>>>;
export declare function firstDifference(expected: unknown, found: unknown, path?: string): string | null;
