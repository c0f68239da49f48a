import type { Body } from "../protocol/messages.js";
import type { BudgetChoice } from "./probe-budget.js";
import type { RuleJudgement } from "./detector/series-rule.js";
import type { Checkpoint, IntervalSource, RunEnd } from "./state.js";

/** Orders to the outside world. The controller journals them with the event that caused them, then performs them. */
export type Command =
  | {
      readonly type: "worker/launch";
      readonly attempt: number;
      readonly resumeFrom: Checkpoint | null;
      readonly delaySeconds: number;
    }
  | { readonly type: "worker/welcome"; readonly attempt: number; readonly resumeFrom: Checkpoint | null }
  | { readonly type: "worker/grant"; readonly attempt: number; readonly body: Body<"grant"> }
  | { readonly type: "worker/recall"; readonly attempt: number }
  | { readonly type: "worker/stop"; readonly attempt: number; readonly body: Body<"stop"> }
  | { readonly type: "worker/kill"; readonly attempt: number }
  | { readonly type: "checkpoint/remove"; readonly paths: readonly string[] }
  | { readonly type: "run/finish"; readonly end: RunEnd };

/** What the core concluded, with the numbers behind it: journaled beside the commands, shown in the decision log, never performed. */
export type Decision =
  | {
      readonly type: "signal/judged";
      readonly update: number;
      readonly signal: string;
      readonly judgement: RuleJudgement;
    }
  /** The script is to record what decides k, and has not done so by this boundary, or by its end. */
  | {
      readonly type: "signal/unheard";
      readonly update: number;
      readonly signal: string;
      /** What it did record. */
      readonly recorded: readonly string[];
    }
  | { readonly type: "signal/ignored"; readonly update: number; readonly key: string; readonly value: string }
  | {
      readonly type: "signal/differed";
      readonly update: number;
      readonly key: string;
      readonly first: string;
      readonly again: string;
      /** The script had gone back before its first value, so that the new one stands. */
      readonly voided?: true;
    }
  | {
      readonly type: "interval/decided";
      readonly k: number;
      readonly source: IntervalSource;
      readonly signal: string | null;
      readonly update: number;
      readonly judgement: RuleJudgement | null;
      readonly kOffline: number | null;
      readonly kOfflineReason: string | null;
    }
  /** What `probe.budget` makes of `probe.every`; `dropped`: the updates of points that are not on the new grid. */
  | ({
      readonly type: "every/chosen";
      readonly update: number;
      readonly dropped: readonly number[];
    } & BudgetChoice)
  | { readonly type: "interval/incomplete"; readonly k: number; readonly frozen: readonly string[] }
  /** The intervention starts later than the run: what trained so far stops. */
  | { readonly type: "block/frozen"; readonly update: number; readonly blocks: readonly string[] }
  | { readonly type: "block/unfrozen"; readonly update: number; readonly blocks: readonly string[] }
  | { readonly type: "learningRate/changed"; readonly update: number; readonly factor: number }
  | { readonly type: "operator/accepted"; readonly id: string; readonly update: number | null }
  | { readonly type: "operator/applied"; readonly id: string; readonly update: number }
  | { readonly type: "operator/refused"; readonly id: string; readonly why: string }
  /** A script went on from a checkpoint of its own: what came after it is decided anew. `k`: the one that is void. */
  | {
      readonly type: "history/voided";
      readonly step: number;
      readonly points: number;
      readonly k: number | null;
      readonly changes: number;
    }
  /** A new run goes on with what the script's checkpoint holds of another one. */
  | {
      readonly type: "history/adopted";
      readonly run: string;
      readonly step: number;
      readonly points: number;
      readonly k: number | null;
    }
  | { readonly type: "attempt/ended"; readonly attempt: number; readonly why: string; readonly restart: boolean }
  | { readonly type: "identity/dropped"; readonly why: string };
