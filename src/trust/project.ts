import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

/** Any of these marks the folder of a project. */
const PROJECT_FILES = [".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg", "package.json"];

/** What a project brings along that others wrote. */
const OTHERS = /^(?:site-packages|dist-packages|node_modules|python\d+\.\d+)$/;

/**
 * Whether the file or folder at `path` is of the project that the user works in: under the nearest folder above `cwd`
 * that has a project's file, or under `cwd`. In the home folder and above, where everything lies that was ever
 * downloaded, it has to lie directly in `cwd`. What another user owns is none of it, nor an installed package.
 */
export function isOfProject(path: string, cwd: string, home: string): boolean {
  const [place, here] = [real(resolve(cwd, path)), real(cwd)];
  if (place === null || here === null || isAnothers(place)) return false;
  const root = projectOf(here);
  if (holds(root, real(home) ?? home)) return dirname(place) === here || place === here;
  return (
    holds(root, place) &&
    !relative(root, place)
      .split(sep)
      .some((part) => OTHERS.test(part))
  );
}

function projectOf(cwd: string): string {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (PROJECT_FILES.some((name) => existsSync(join(folder, name)))) return folder;
    if (folder === dirname(folder)) return cwd;
  }
}

/** Whether `path` is `folder` or something under it. */
function holds(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep);
}

/** Root, as whom containers run, works on everybody's files. */
function isAnothers(path: string): boolean {
  const me = process.getuid?.() ?? 0;
  const { uid } = statSync(path);
  return me !== 0 && uid !== me && uid !== 0;
}

function real(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
