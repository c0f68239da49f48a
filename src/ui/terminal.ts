/** What kind of terminal this is, and the few escape sequences that Ink 6 does not write itself. */

type Stream = { readonly isTTY?: boolean | undefined };

/**
 * Whether to write colour to a stream. FORCE_COLOR wins over NO_COLOR (no-color.org: any value but the empty one),
 * then `TERM=dumb`, then whether it is a terminal at all.
 */
export function colorEnabled(stream: Stream, env: NodeJS.ProcessEnv): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if (env["NO_COLOR"]) return false;
  return env["TERM"] !== "dumb" && stream.isTTY === true;
}

/** Whether braille and box glyphs arrive as such: the locale is UTF-8, and not the Linux console, whose font has no braille. */
export function unicodeEnabled(env: NodeJS.ProcessEnv): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale) && env["TERM"] !== "linux";
}

/** Whether the live view can run: it needs keys, cursor movement, and an Ink that draws (in CI it draws the last frame only). */
export function canShowView(stdin: Stream, stdout: Stream, env: NodeJS.ProcessEnv): boolean {
  const inCi = Boolean(env["CI"]) && env["CI"] !== "false" && env["CI"] !== "0";
  return stdin.isTTY === true && stdout.isTTY === true && env["TERM"] !== "dumb" && !inCi;
}

const ENTER_ALTERNATE_SCREEN = "\u001b[?1049h\u001b[2J\u001b[H";
const LEAVE_ALTERNATE_SCREEN = "\u001b[?1049l\u001b[?25h";
export const CLEAR_SCREEN = "\u001b[2J\u001b[H";

/**
 * Draws on a screen of its own, so that the shell's text is untouched. The returned function goes back and shows the
 * cursor; it also runs when the process exits for another reason.
 */
export function enterAlternateScreen(stdout: NodeJS.WriteStream): () => void {
  let entered = true;
  const leave = (): void => {
    if (!entered) return;
    entered = false;
    process.removeListener("exit", leave);
    stdout.write(LEAVE_ALTERNATE_SCREEN);
  };
  process.on("exit", leave);
  stdout.write(ENTER_ALTERNATE_SCREEN);
  return leave;
}
