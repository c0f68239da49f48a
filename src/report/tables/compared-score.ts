import { comparedBy } from "../../reading/named-scores.js";
import type { Sweep } from "../../sweep/swept-run.js";
import { armsOf, type Arm } from "./arms.js";
import type { Unit } from "./table.js";

/** The score that decides: what the sweep says, else the one that runs like these are compared by; null without any. */
export function decidingScore(sweep: Sweep, arms: readonly Arm[] = armsOf(sweep)): string | null {
  if (sweep.evaluateOn !== null) return sweep.evaluateOn;
  const first = arms.flatMap(({ completed }) => completed).find(({ scores }) => comparedBy(scores) !== null);
  return first === undefined ? null : comparedBy(first.scores);
}

/** The in-distribution score beside it: of the same kind where there is one; null where it is that score itself. */
export function scoreBeside(deciding: string, arms: readonly Arm[]): string | null {
  const names = scoreNames(arms).filter((name) => name.startsWith("in_dist/"));
  const kind = deciding.split("/").at(-1)!;
  const beside = names.find((name) => name === `in_dist/${kind}`) ?? names[0] ?? null;
  return beside === deciding ? null : beside;
}

/** Every score that some run has, in the order of the first run that has it. */
export function scoreNames(arms: readonly Arm[]): string[] {
  return [...new Set(arms.flatMap(({ completed }) => completed.flatMap(({ scores }) => Object.keys(scores))))];
}

/** What a script records may be any number; every other score is a share of 1. */
export function unitOfScore(score: string): Unit {
  return score.startsWith("recorded/") ? "number" : "share";
}

/** Of a script's own numbers nobody has said which are better. */
export function betterOfScore(score: string): "higher" | null {
  return unitOfScore(score) === "share" ? "higher" : null;
}

const HEADINGS: Readonly<Record<string, string>> = {
  "in_dist/accuracy": "ID accuracy",
  "in_dist/f1": "ID F1",
  "in_dist/exact_match": "ID EM",
  "ood/mean": "OOD accuracy",
};
const KINDS: Readonly<Record<string, string>> = { f1: "F1", exact_match: "EM", accuracy: "accuracy" };

/** `OOD accuracy`, `OOD fog`, `xquad X-ling F1`. */
export function scoreHeading(score: string): string {
  const known = HEADINGS[score];
  if (known !== undefined) return known;
  const parts = score.split("/");
  if (parts[0] === "ood") return `OOD ${parts.slice(1).join(" ")}`;
  if (parts[0] === "recorded") return parts.slice(1).join("/");
  return parts.map((part) => (part === "x-ling" ? "X-ling" : (KINDS[part] ?? part))).join(" ");
}
