export declare const BUILD_INPUTS: readonly string[];
export declare const BUILD_STAMP: string;
export declare function digestOf(root: string, paths: readonly string[]): string;
export declare function isCurrent(stamp: string, digest: string): boolean;
export declare function writeStamp(stamp: string, digest: string): void;
