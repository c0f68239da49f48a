import { randomUUID } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OperatorCommand } from "../core/events.js";

/** The folder inside a run folder through which operators speak to its controller. */
export const CONTROL_FOLDER = "control";

/** One operator command on its way to the controller. A command for another epoch than the current one expires. */
export interface ControlFile {
  readonly id: string;
  readonly epoch: number;
  readonly who: string;
  readonly command: OperatorCommand;
}

/** Rises from one command to the next, so that the order of names is the order of commands. */
function microsecondsSinceEpoch(): string {
  return String(Math.floor((performance.timeOrigin + performance.now()) * 1000));
}

/** Leaves a command for the controller, whole or not at all (write aside, rename). Returns its id. */
export function writeControlFile(runFolder: string, request: Omit<ControlFile, "id">): string {
  const id = `${microsecondsSinceEpoch()}-${randomUUID()}`;
  const folder = join(runFolder, CONTROL_FOLDER);
  mkdirSync(folder, { recursive: true });
  const aside = join(folder, `.${id}`);
  writeFileSync(aside, JSON.stringify({ id, ...request }));
  renameSync(aside, join(folder, `${id}.json`));
  return id;
}
