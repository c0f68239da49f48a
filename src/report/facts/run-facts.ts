import type { RuleJudgement } from "../../core/detector/series-rule.js";
import type { State } from "../../core/state.js";
import type { Results } from "../../reading/results.js";
import type { Sentence } from "../../words/decisions.js";

/** Everything that a report tells of one run: its journal reduced, and what only the records themselves hold. */
export interface RunFacts {
  /** As the reader named it. */
  readonly folder: string;
  readonly state: State;
  /** Composed from the journal, whatever `results.json` says. */
  readonly results: Results;
  /** `running` and `cut off` where it has no end. */
  readonly status: string;
  /** Loss of the training batches, as the worker told it: for people, at most one a second. */
  readonly loss: readonly LossPoint[];
  /** Learning rates by parameter group, whenever the worker told them. */
  readonly learningRates: readonly { readonly update: number; readonly rates: readonly number[] }[];
  readonly judgements: readonly JudgedPoint[];
  /** Decisions, warnings, scores: without the lines that every boundary has. */
  readonly log: readonly LogLine[];
  readonly attempts: readonly AttemptFacts[];
  /** UTC times of the first and the last record, ISO 8601. */
  readonly began: string;
  readonly lastHeard: string;
  readonly numRecords: number;
  readonly versions: { readonly thawline: string | null; readonly node: string | null };
  /** What a reader has to know before believing any of it, such as a journal that was cut off. */
  readonly notes: readonly string[];
}

export interface LossPoint {
  readonly step: number;
  /** NaN where it was not finite. */
  readonly loss: number;
}

/** What the online rule said at a boundary. */
export interface JudgedPoint {
  readonly update: number;
  readonly signal: string;
  readonly judgement: RuleJudgement;
}

export interface LogLine extends Sentence {
  /** UTC, ISO 8601. */
  readonly at: string;
}

export interface AttemptFacts {
  readonly number: number;
  readonly launched: string;
  readonly host: string | null;
  /** The step that it went on from; 0 at the beginning; null where it never was ready. */
  readonly resumedFrom: number | null;
  readonly lastUpdate: number | null;
  /** Null as long as it goes on. */
  readonly ended: string | null;
}
