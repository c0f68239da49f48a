import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Hexadecimal digits of 32 bytes. */
const KEY = /^[0-9a-f]{64}$/;

/** The user's settings, which nodes of a cluster share where they share the home folder. */
export function trustKeyFile(env: NodeJS.ProcessEnv): string {
  const settings = env["XDG_CONFIG_HOME"];
  return join(
    settings?.startsWith("/") ? settings : join(env["HOME"] ?? homedir(), ".config"),
    "thawline",
    "trust.key",
  );
}

/**
 * The secret by which a user's own runs are known again; `made` where there is none yet.
 *
 * @throws Error in words where there is none, or where others can read it
 */
export function readTrustKey(env: NodeJS.ProcessEnv, made: boolean): Buffer {
  const path = trustKeyFile(env);
  if (made) makeKey(path);
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) throw new Error("others may read it: `chmod 600` it");
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Error(`\`${path}\` cannot be used (${reasonOf(error)})`, { cause: error });
  }
  if (!KEY.test(text)) throw new Error(`\`${path}\` holds no key: remove it, and another one is made`);
  return Buffer.from(text, "hex");
}

/** Nothing where there is one: two runs that begin at once have one key. */
function makeKey(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new Error(`\`${path}\` cannot be written (${reasonOf(error)})`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
