export declare function leftoversOf(
  folders: { readonly runFolder: string; readonly temporaryFolder: string },
  expected: readonly string[],
): string[];
export declare function filesOf(folder: string): string[];
