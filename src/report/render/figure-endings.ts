/** What a figure is written as; the script `.py` draws it from `.csv`. */
export const FIGURE_ENDINGS = [".csv", ".py", ".vl.json", ".svg", ".png"] as const;
