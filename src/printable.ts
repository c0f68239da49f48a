/**
 * Text from outside (exceptions, logs, names, journals, files) as it may reach a terminal. Everything that is written
 * to one passes through here at the place where it is written; `test/printable.test.ts` walks all of them.
 */

/**
 * What a terminal obeys or hides instead of showing: C0 but newline and tab, DEL, C1, line and paragraph separators,
 * directions and other invisible formats (but joiners, without which some scripts and emoji read differently), halves
 * of a character.
 */
const UNPRINTABLE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The weights and colours that `styleText` writes for us. */
// eslint-disable-next-line no-control-regex -- it is what this is about
const STYLES = /\u001b\[(?:1|22|3[1-6]|39)m/;

const STYLES_AND_UNPRINTABLE = new RegExp(`${STYLES.source}|${UNPRINTABLE.source}`, "gu");

/**
 * `text` with what a terminal would obey or hide shown as escapes, such as `\u001b`: that reads the same in a sentence,
 * and is the same value in JSON, and in YAML between double quotes. Newlines and tabs stay.
 */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNPRINTABLE, escaped);
}

/** Likewise of text with parts in `styleText`'s styles; what of it came from outside was made printable before. */
export function printableStyled(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(STYLES_AND_UNPRINTABLE, (found) => (STYLES.test(found) ? found : escaped(found)));
}

/** `text` in one line: a run of whitespace is one space. */
export function singleLine(text: string): string {
  return printable(text.replace(/[^\S\ufeff]+/g, " ").trim());
}

/** A part of a row of a screen: nothing in it moves the cursor, and its spaces stay. */
export function printableRow(text: string): string {
  return printable(text.replace(/[\r\n\t\v\f\u0085\u2028\u2029]/g, " "));
}

/** By code units, as JSON has it: `\ud83d`. */
function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
