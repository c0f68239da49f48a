import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { UserError } from "../errors.js";

/**
 * Looks for a program as the system will when it is started in `folder`: a name on the PATH, anything with a slash as a
 * path.
 *
 * @throws UserError `no_program`
 */
export function findProgram(program: string, folder: string, env: NodeJS.ProcessEnv): string {
  const candidates = program.includes("/")
    ? [resolve(folder, program)]
    : (env["PATH"] ?? "").split(delimiter).map((entry) => join(resolve(folder, entry), program));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  const where = program.includes("/") ? `in \`${folder}\`` : "on the PATH";
  throw new UserError({
    code: "no_program",
    message: `there is no program \`${program}\` ${where}`,
    hint: "write the command as in a shell, for example `npx thawline attach -- python train.py`",
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
