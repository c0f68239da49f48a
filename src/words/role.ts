/** What a piece of text means. Colour only repeats what words or glyphs say already. */
export type Role =
  | "plain"
  | "strong"
  | "dim"
  | "title"
  | "raw"
  | "average"
  | "loss"
  | "mark"
  | "limit"
  | "live"
  | "frozen"
  | "good"
  | "waiting"
  | "warning"
  | "failure"
  | "key";

/** A run of characters with one meaning. */
export interface Segment {
  readonly text: string;
  readonly role: Role;
}
