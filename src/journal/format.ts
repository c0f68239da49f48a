import { crc32 } from "node:zlib";
import type { Command, Decision } from "../core/commands.js";
import type { Event } from "../core/events.js";

/** Version of the file's layout; named by the first event. */
export const JOURNAL_FORMAT = 2;

/** The journal's file name inside a run folder. */
export const JOURNAL_FILE = "journal";

/** One line: what happened, and what `reduce` returned for it. `at` is for people and never enters `reduce`. */
export interface JournalRecord {
  /** Position in the journal, from 1, without gaps. */
  readonly n: number;
  readonly term: number;
  /** UTC time, ISO 8601 with milliseconds. */
  readonly at: string;
  readonly event: Event;
  readonly decisions?: readonly Decision[];
  readonly commands?: readonly Command[];
  /** Bytes of the journal that were on the disk when this was written; where that is not what the last such number says. */
  readonly synced?: number;
}

/**
 * A record that was read for its event: what was decided and ordered comes of reducing it again, and whatever stands here
 * of it is no more than a part.
 */
export interface EventRecord extends Omit<JournalRecord, "decisions" | "commands"> {
  readonly decisions?: unknown;
  readonly commands?: unknown;
}

/** `crc32 space json newline`: readable with `cut -c10- journal | jq`, and no flipped bit goes unnoticed. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

export function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}

const DIGITS = "0123456789abcdef";

/** Whether a line begins with the checksum of `json`. Digit by digit: nothing is made for each line of a long journal. */
export function beginsWithChecksum(line: string, json: string): boolean {
  const sum = crc32(json);
  for (let place = 0; place < 8; place += 1) {
    if (line.charCodeAt(place) !== DIGITS.charCodeAt((sum >>> (28 - 4 * place)) & 15)) return false;
  }
  return true;
}
