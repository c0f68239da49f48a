export declare function randomFrom(seed: number): () => number;
export declare function drawByWeight(random: () => number, weights: Readonly<Record<string, number>>): string;
export declare function drawWhole(random: () => number, least: number, most: number): number;
