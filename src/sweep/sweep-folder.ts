import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isSettings } from "../config/layers/layers.js";
import { canonical } from "../core/training-identity.js";
import { UserError } from "../errors.js";
import { closeToOthers } from "../runs/folder.js";
import {
  codeOf,
  createFile,
  modeInside,
  PRIVATE_FILE,
  PRIVATE_FOLDER,
  refusedByDisk,
  replaceFile,
} from "../whole-file.js";
import { PLAN_FILE } from "./plan-file.js";
import type { Plan, PlannedRun } from "./plan.js";

const FORMAT = 1;
/** What sweepers note of a run, apart from the run's own folder, which its controller alone writes. */
const NOTES = ".sweep";

interface StoredPlan extends Plan {
  readonly format: number;
  readonly thawline: string;
}

export const runFolderOf = (folder: string, id: string): string => join(folder, id);
export const notesFolderOf = (folder: string, id: string): string => join(folder, NOTES, id);

/**
 * Makes the folder of a sweep with its plan, or finds that of the same plan there. Of the same plan is what has the same
 * runs by name: paths of another machine may differ.
 *
 * @param extend whether runs may join that the plan there does not have yet
 * @throws UserError `other_plan` with what differs, `not_a_sweep`, `unwritable_file`
 */
export function openSweepFolder(folder: string, plan: Plan, thawline: string, extend = false): void {
  const text = `${JSON.stringify({ format: FORMAT, thawline, ...plan } satisfies StoredPlan)}\n`;
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    throw refusedByDisk(`\`${folder}\``, error);
  }
  const path = join(folder, PLAN_FILE);
  if (createFile(path, text, PRIVATE_FILE)) {
    closeToOthers(folder, undefined);
    return;
  }
  const there = readPlan(folder);
  const difference = differenceOf(there, plan, extend);
  if (difference !== null) throw otherPlan(folder, difference);
  // A node, or another checkout, has its own paths: whoever reads the plan next starts runs by these.
  if (canonical(there) !== canonical(plan)) replaceFile(path, text, modeInside(folder));
}

/** @throws UserError `not_a_sweep`, `damaged_sweep` */
export function readPlan(folder: string): Plan {
  const path = join(folder, PLAN_FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError({
      code: "not_a_sweep",
      message: `\`${folder}\` is no sweep: it has no \`${PLAN_FILE}\``,
      hint: "name the folder of a sweep, or a sweep's file to begin one: `npx thawline sweep FILE`",
      cause: error,
    });
  }
  try {
    const { format, thawline: _, ...plan } = JSON.parse(text) as StoredPlan;
    if (format === FORMAT && Array.isArray(plan.runs)) return plan;
  } catch {
    // Said below.
  }
  throw new UserError({
    code: "damaged_sweep",
    message: `\`${path}\` is not the plan of a sweep of this version`,
    hint: "call `npx thawline sweep FILE` with another `--dir`; the runs in this folder stay as they are",
  });
}

/** What makes them two plans, in words; null where they are one. */
function differenceOf(there: Plan, asked: Plan, extend: boolean): string | null {
  const before = new Map(there.runs.map((run) => [run.id, run]));
  const after = new Map(asked.runs.map((run) => [run.id, run]));
  const gone = there.runs.filter(({ id }) => !after.has(id));
  const added = asked.runs.filter(({ id }) => !before.has(id));
  if (gone.length === 0 && (added.length === 0 || extend)) return null;
  const changed = gone.flatMap((run) => {
    const twin = added.find((other) => isTwin(run, other));
    return twin === undefined ? [] : [...differingKeys(run.portable, twin.portable, "")];
  });
  if (changed.length > 0) {
    const keys = [...new Set(changed)].sort();
    return `its runs have other values of ${keys.map((key) => `\`${key}\``).join(", ")}`;
  }
  const counts = [
    gone.length > 0 ? `it has ${runs(gone)} that this one does not` : "",
    added.length > 0 ? `it lacks ${runs(added)}` : "",
  ];
  return counts.filter(Boolean).join(", and ");
}

function runs(found: readonly PlannedRun[]): string {
  const names = [...new Set(found.map(({ condition, seed }) => `\`${condition}\` with seed ${seed}`))];
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `${found.length === 1 ? "a run" : `${found.length} runs`} (${names.slice(0, 3).join(", ")}${more})`;
}

function isTwin(run: PlannedRun, other: PlannedRun): boolean {
  return run.condition === other.condition && run.seed === other.seed && canonical(run.axes) === canonical(other.axes);
}

function differingKeys(one: unknown, other: unknown, prefix: string): string[] {
  if (canonical(one) === canonical(other)) return [];
  if (!isSettings(one) || !isSettings(other)) return [prefix];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (key) => prefix !== "" || key !== "name",
  );
  return keys.flatMap((key) => differingKeys(one[key], other[key], prefix === "" ? key : `${prefix}.${key}`));
}

function otherPlan(folder: string, difference: string): UserError {
  const isLarger = difference.startsWith("it lacks");
  return new UserError({
    code: "other_plan",
    message: `\`${folder}\` belongs to another plan: ${difference}`,
    hint: isLarger
      ? "add `--extend` to let them join it, or choose another folder with `--dir`"
      : "choose another folder with `--dir`, or take the change back",
  });
}

/** A file that a sweeper who holds the run writes about it. */
export interface Note<T> {
  readonly read: (folder: string, id: string) => T | null;
  readonly write: (folder: string, id: string, value: T) => void;
  readonly remove: (folder: string, id: string) => void;
}

function note<T>(name: string): Note<T> {
  const at = (folder: string, id: string): string => join(notesFolderOf(folder, id), name);
  return {
    read: (folder, id) => {
      try {
        return JSON.parse(readFileSync(at(folder, id), "utf8")) as T;
      } catch (error) {
        if (codeOf(error) !== null || error instanceof SyntaxError) return null;
        throw error;
      }
    },
    write: (folder, id, value) => replaceFile(at(folder, id), `${JSON.stringify(value)}\n`, PRIVATE_FILE),
    remove: (folder, id) => rmSync(at(folder, id), { force: true }),
  };
}

/** Why a run failed last. */
export interface Failure {
  /** The call of `sweep` in which it did; `times` it failed in it. */
  readonly call: string;
  readonly times: number;
  readonly message: string;
  /** The last lines that it printed. */
  readonly output: string;
}

/** The run whose training was the same, and whose results are this one's. */
export interface Taken {
  readonly from: string;
}

export const FAILURE = note<Failure>("failure.json");
export const TAKEN = note<Taken>("taken.json");
