import { setTimeout as sleep } from "node:timers/promises";
import { findSubject, goesOn, sweepsOf } from "./find-subject.js";
import { RunCache, type UnreadRun } from "./run-cache.js";
import type { Subject } from "./contents.js";
import type { WhatIfRules } from "./tables/what-if.js";
import { writeReport, type WrittenReport } from "./write-report.js";

/** What is told of a report that was written. */
export interface Told extends WrittenReport {
  readonly unread: readonly UnreadRun[];
  /** Whether it will be written again. */
  readonly goesOn: boolean;
}

export interface ReportRequest {
  readonly draws: boolean;
  /** Whether the page is written again as long as one of the runs goes on. */
  readonly watches: boolean;
  /** Other rules that are asked about; null: none. */
  readonly whatIf?: WhatIfRules | null;
  /** Called for the first report, and for the last one where that is another. */
  readonly tell: (told: Told) => void;
}

/** Between two looks at the journals, and between two loadings of an open page. */
const POLL_MILLISECONDS = 2000;
const REFRESH_SECONDS = 15;

/** Writes the report, and while it watches, again whenever a journal has grown; the files of figures come at the end. */
export async function reportOn(named: readonly string[], out: string, request: ReportRequest): Promise<void> {
  const cache = new RunCache();
  let version: string | null = null;
  for (;;) {
    const subject = await findSubject(named, cache);
    const follows = request.watches && goesOn(subject);
    if (version !== cache.version || !follows) {
      const written = new Date().toISOString();
      const refresh = follows ? REFRESH_SECONDS : null;
      const report = await writeReport(subject, out, {
        written,
        refresh,
        draws: request.draws && !follows,
        whatIf: request.whatIf ?? null,
      });
      if (version === null || !follows) request.tell({ ...report, unread: unreadIn(subject), goesOn: follows });
    }
    if (!follows) return;
    version = cache.version;
    await sleep(POLL_MILLISECONDS);
  }
}

function unreadIn(subject: Subject): readonly UnreadRun[] {
  return sweepsOf(subject).flatMap(({ unread }) => unread);
}
