import type { JournalRecord } from "../../src/journal/format.js";

/** Carriage return, title, clipboard, cleared screen, colour, C1's CSI, DEL, directions, half a character, line breaks; the last one is cut. */
export const HOSTILE =
  "\r\u001b]0;t\u001b\\\u001b]52;c;ZXZpbA==\u0007\u001b[2J\u001b[31m\u009b7m\u007f\u202e\u2066\u200b\ufeff\ud800\u0085\u2028\u001b[";

/** What of it a file name or an argument can be. */
export const HOSTILE_NAME = HOSTILE.replace("\ud800", "").replace("\\", "");

/** What of it shows that the text was shown at all. */
export const SHOWN = "ZXZpbA==";

// eslint-disable-next-line no-control-regex -- it is what this is about
const OBEYED = /[\0-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

/** What a terminal would obey of `text`. */
export function obeyedIn(text: string): string[] {
  return text.match(OBEYED) ?? [];
}

/** Of these fields every text is free, so that any of them may be hostile. */
const FREE_FIELDS: ReadonlySet<string> = new Set(
  "run name host device text message hint detail tail who split reason why torch python numpy".split(" "),
);

/** A journal in which every free text is hostile, and equal texts stay equal. */
export function withHostileTexts(records: readonly JournalRecord[]): JournalRecord[] {
  const text = JSON.stringify(records, (key, value: unknown) => {
    return FREE_FIELDS.has(key) && typeof value === "string" ? `${value}${HOSTILE}` : value;
  });
  return JSON.parse(text) as JournalRecord[];
}
