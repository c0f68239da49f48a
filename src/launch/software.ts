import { delimiter } from "node:path";
import { execa } from "execa";

const PROGRAM = `
import json
from thawline.wire.handshake import software_versions
print(json.dumps(software_versions()))
`;
/** An interpreter on a cold network file system needs seconds; one that hangs must not hang us. */
const LIMIT_MILLISECONDS = 60_000;

/**
 * What a worker on this machine would say of its software and processor; null where Python cannot tell.
 *
 * @param python name or path of the interpreter
 * @param pythonFolder the folder that holds the package `thawline`
 */
export async function softwareHere(
  python: string,
  pythonFolder: string,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>> | null> {
  const path = [pythonFolder, env["PYTHONPATH"]].filter(Boolean).join(delimiter);
  const { failed, stdout } = await execa(python, ["-c", PROGRAM], {
    env: { ...env, PYTHONPATH: path },
    extendEnv: false,
    timeout: LIMIT_MILLISECONDS,
    reject: false,
    stdin: "ignore",
  });
  if (failed) return null;
  try {
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Readonly<Record<string, string>>;
  } catch {
    return null;
  }
}
