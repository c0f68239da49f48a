import type { State } from "../core/state.js";
import type { JournalRecord } from "../journal/format.js";
import type { Sentence } from "./decisions.js";
import { describeRecord } from "./sentences.js";

/** Seconds between two lines of mere progress: a Slurm log of a day stays readable. */
const PROGRESS_SECONDS = 10;

/** The lines for one record; `state` is the one after it. Called with every record of a run, in order. */
export type PlainLines = (record: JournalRecord, state: State) => string[];

/**
 * One line an event that matters, such as `12:03:55 update 120    decision    k = 120: ...` (UTC). It remembers when
 * it last showed progress, by the records' own times, so the same journal gives the same lines.
 */
export function createPlainLines(progressSeconds = PROGRESS_SECONDS): PlainLines {
  let shownAt = -Infinity;
  let day = "";
  return (record, state) => {
    const time = Date.parse(record.at) / 1000;
    const lines: string[] = [];
    for (const sentence of describeRecord(record, state)) {
      if (sentence.kind === "progress") {
        if (time - shownAt < progressSeconds) continue;
        shownAt = time;
      }
      if (day !== record.at.slice(0, 10)) {
        day = record.at.slice(0, 10);
        lines.push(`${day} UTC`);
      }
      lines.push(plainLine(record.at, sentence));
    }
    return lines;
  };
}

function plainLine(at: string, { update, kind, text }: Sentence): string {
  const place = update === null ? "" : `update ${update}`;
  return `${at.slice(11, 19)} ${place.padEnd(13)} ${kind.padEnd(10)} ${text}`;
}

/** The record as one JSON line, without a newline. */
export function jsonLine(record: JournalRecord): string {
  return JSON.stringify(record);
}
