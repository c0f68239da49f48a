/** What a terminal sends for keys of their own, as final byte of a control sequence. */
const FINAL_NAMES: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "shift+tab",
};

/** Of sequences that end with `~`, by their number. */
const NUMBERED_NAMES: Readonly<Record<string, string>> = { 1: "home", 4: "end", 5: "pageup", 6: "pagedown" };

const CONTROL_NAMES: Readonly<Record<string, string>> = { "\t": "tab", "\r": "return", "\u001b": "esc" };

/** Of a sequence that began in an earlier piece of input; a longer one is none. */
const MOST_PENDING = 64;

const CTRL_MODIFIER = 4;

/**
 * Names the keys in what a terminal sends, such as `q`, `tab`, `ctrl+c`. A slow link, or a view that was busy, delivers
 * many at once, in any pieces: each is named, and a control key also inside another key's unfinished sequence, which it
 * ends. Keeps what is unfinished for the next piece.
 */
export class KeyDecoder {
  private pending = "";
  private escaped = false;

  /** @returns names of the keys that `text` completes, in the order of pressing */
  decode(text: string): string[] {
    // An escape that ended a piece was named as the key; a bracket at once behind it says that it began a sequence.
    const rest = this.escaped && /^[[O]/.test(text) ? `\u001b${text}` : this.pending + text;
    const wasNamed = this.escaped && rest.startsWith("\u001b") && !text.startsWith("\u001b");
    this.pending = "";
    this.escaped = false;
    const keys: string[] = [];
    let offset = 0;
    while (offset < rest.length) {
      const { key, length } = this.next(rest.slice(offset));
      if (length === 0) {
        this.pending = rest.slice(offset);
        break;
      }
      if (key !== null) keys.push(key);
      offset += length;
    }
    if (rest.endsWith("\u001b") && this.pending === "") this.escaped = true;
    return wasNamed ? keys.filter((key) => key !== "esc") : keys;
  }

  /** The first key; `length` 0 where more of it has to come. */
  private next(text: string): { readonly key: string | null; readonly length: number } {
    const first = String.fromCodePoint(text.codePointAt(0)!);
    if (first !== "\u001b" || text.length === 1) return { key: nameOf(first), length: first.length };
    if (text[1] === "[") return sequence(text);
    if (text[1] === "O") return text.length === 2 ? unfinished(text) : singleShift(text);
    const second = String.fromCodePoint(text.codePointAt(1)!);
    // Alt with a key sends both; a control key behind an escape is one of its own.
    return isControl(second) ? { key: "esc", length: 1 } : { key: `meta+${second}`, length: 1 + second.length };
  }
}

/** A control sequence: parameters, then the byte that ends it (ECMA-48, 5.4). */
function sequence(text: string): { readonly key: string | null; readonly length: number } {
  // eslint-disable-next-line no-control-regex -- the grammar is about control characters
  const [whole, parameters = "", final] = /^\u001b\[([0-?]*)[ -/]*([@-~])?/.exec(text)!;
  if (final === undefined) {
    // What follows is no part of it: it was cut off, and a control key counts.
    return whole.length < text.length ? { key: null, length: whole.length } : unfinished(text);
  }
  return { key: pressed(parameters, final), length: whole.length };
}

/** Also the forms in which newer terminals send control keys: `CSI 99;5u`, `CSI 27;5;99~`. */
function pressed(parameters: string, final: string): string | null {
  const numbers = parameters.split(";").map((part) => Number.parseInt(part, 10));
  const [code, modifiers] = final === "u" ? [numbers[0], numbers[1]] : [numbers[2], numbers[1]];
  const isKey = final === "u" || (final === "~" && numbers[0] === 27 && numbers.length === 3);
  if (!isKey) return (final === "~" ? NUMBERED_NAMES[parameters] : FINAL_NAMES[final]) ?? null;
  if (code === undefined || !(code > 0 && code <= 0x10ffff)) return null;
  const name = nameOf(String.fromCodePoint(code));
  return (((modifiers ?? 1) - 1) & CTRL_MODIFIER) === 0 ? name : `ctrl+${name}`;
}

function singleShift(text: string): { readonly key: string | null; readonly length: number } {
  const final = text[2]!;
  return isControl(final) ? { key: null, length: 2 } : { key: FINAL_NAMES[final] ?? null, length: 3 };
}

function unfinished(text: string): { readonly key: null; readonly length: number } {
  return { key: null, length: text.length > MOST_PENDING ? text.length : 0 };
}

function nameOf(character: string): string {
  const named = CONTROL_NAMES[character];
  if (named !== undefined) return named;
  const code = character.codePointAt(0)!;
  if (code === 127) return "backspace";
  return code < 32 ? `ctrl+${String.fromCodePoint(code + 96)}` : character;
}

function isControl(character: string): boolean {
  return character < " ";
}
