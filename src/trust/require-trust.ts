import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { RunConfig } from "../config/attached.js";
import { UserError } from "../errors.js";
import { hasMark, MARK_FILE, writeMark } from "./mark.js";
import { isOfProject } from "./project.js";

/** What a run executes that is no part of thawline, as it is written in the configuration; null for nothing. */
export function codeOf(config: RunConfig): string | null {
  if (config.script !== undefined) return `${config.script.command.join(" ")}\` in \`${config.script.folder}`;
  const own = ownModelOf(config);
  return own === null ? null : `${own.kind}\` in \`${own.folder}`;
}

function ownModelOf({ model }: RunConfig): { readonly kind: string; readonly folder: string } | null {
  return model !== undefined && "folder" in model ? model : null;
}

export interface ConfigOrigin {
  /** The file that names the model's code; null where the command line or the environment does. */
  readonly file: string | null;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * A configuration is data, unless it names a model by import path. So the file has to be of the user's project, or of a
 * run that the user has started, and the module has to be found in a folder of the project: anything else that Python
 * can import, such as `torch.hub:load`, may do whatever the file's author likes.
 *
 * @throws UserError `untrusted_configuration`, `untrusted_model`
 */
export function requireTrustedConfig(config: RunConfig, { file, cwd, env }: ConfigOrigin): void {
  const model = ownModelOf(config);
  if (model === null || file === null) return;
  const home = env["HOME"] ?? homedir();
  const hint = `look at what that is, and add \`--trust\` if you want it to run`;
  if (!isOfProject(file, cwd, home) && !isOfOwnRun(resolve(cwd, file), config, env)) {
    throw new UserError({
      code: "untrusted_configuration",
      message: `\`${file}\` is not of the project that you are in, and would run \`${model.kind}\` in \`${model.folder}\``,
      hint,
    });
  }
  const [top = ""] = model.kind.split(/[.:]/);
  if (!holdsModule(model.folder, top) || !isOfProject(model.folder, cwd, home)) {
    if (isOfOwnRun(resolve(cwd, file), config, env)) return;
    throw new UserError({
      code: "untrusted_model",
      message: `\`${file}\`: \`model.kind\` is \`${model.kind}\`, and \`${top}\` is no module in a folder of the project that you are in (\`model.folder\` is \`${model.folder}\`)`,
      hint: `set \`model.folder\` to the folder of your module, or add \`--trust\` if you want it to run whatever it is`,
    });
  }
}

/** Whether Python would find the module in this folder first. */
function holdsModule(folder: string, top: string): boolean {
  return existsSync(join(folder, `${top}.py`)) || existsSync(join(folder, top, "__init__.py"));
}

/** The `config.yaml` of a run that carries a mark of that model; other settings may have changed. */
function isOfOwnRun(file: string, config: RunConfig, env: NodeJS.ProcessEnv): boolean {
  return basename(file) === "config.yaml" && hasMark(dirname(file), codeIdentity(config), env);
}

/** What of a configuration is executed. */
function codeIdentity({ script, model }: RunConfig): object {
  return { script, model };
}

/**
 * Marks the run whose folder was just made, where resuming it executes code of the user's.
 *
 * @returns a note on why that could not be done
 */
export function markOwnRun(runFolder: string, config: RunConfig, env: NodeJS.ProcessEnv): string | null {
  if (codeOf(config) === null) return null;
  const why = writeMark(runFolder, codeIdentity(config), env);
  return why === null ? null : `${why}: \`resume\` will ask for \`--trust\``;
}

/**
 * @param trust given by the user; a run that is trusted once is marked
 * @throws UserError `untrusted_run`
 */
export function requireTrustedRun(
  runFolder: string,
  { config, trust, env }: { readonly config: RunConfig; readonly trust: boolean; readonly env: NodeJS.ProcessEnv },
): void {
  const code = codeOf(config);
  if (code === null || hasMark(runFolder, codeIdentity(config), env)) return;
  if (trust) {
    writeMark(runFolder, codeIdentity(config), env);
    return;
  }
  throw new UserError({
    code: "untrusted_run",
    message: `\`${runFolder}\` carries no mark of yours, and resuming it would run \`${code}\``,
    hint: `look at its \`journal\`, and add \`--trust\` if you want that to run; runs that you start are marked (\`${MARK_FILE}\`)`,
  });
}
