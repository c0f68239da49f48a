import { crc32 } from "node:zlib";
import type { Command, Decision } from "../core/commands.js";
import type { Event } from "../core/events.js";
import { UserError } from "../errors.js";

/** Version of the file's layout; named by the first event. */
export const JOURNAL_FORMAT = 1;

/** The journal's file name inside a run folder. */
export const JOURNAL_FILE = "journal";

/** One line: what happened, and what `reduce` returned for it. `at` is for people and never enters `reduce`. */
export interface JournalRecord {
  /** Position in the journal, from 1, without gaps. */
  readonly n: number;
  readonly epoch: number;
  /** UTC time, ISO 8601 with milliseconds. */
  readonly at: string;
  readonly event: Event;
  readonly decisions?: readonly Decision[];
  readonly commands?: readonly Command[];
}

/** `crc32 space json newline`: readable with `cut -c10- journal | jq`, and no flipped bit goes unnoticed. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${checksum(json)} ${json}\n`;
}

/**
 * @param line without its newline
 * @param offset where the line starts in the file, for the error
 * @throws UserError `damaged_journal` when the line is not what was written
 */
export function decodeLine(line: string, offset: number): JournalRecord {
  const json = line.slice(9);
  if (line.charAt(8) !== " " || line.slice(0, 8) !== checksum(json)) {
    throw new UserError({
      code: "damaged_journal",
      message: `the journal is damaged at byte ${offset}`,
      hint: "restore the file from a copy: everything after this byte is uncertain",
    });
  }
  return JSON.parse(json) as JournalRecord;
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
