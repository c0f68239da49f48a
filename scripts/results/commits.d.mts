export declare function commitAt(root: string): string | null;
export declare function noteCommit(runFolder: string, commit: string | null): void;
export declare function notedCommits(runFolder: string): string | null;
