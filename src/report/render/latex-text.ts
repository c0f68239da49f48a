import { singleLine } from "../../printable.js";

const SPECIALS: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\ensuremath{<}",
  ">": "\\ensuremath{>}",
  "|": "\\ensuremath{|}",
  '"': "\\char34{}",
  "'": "'{}",
  "`": "\\char96{}",
  "-": "-{}",
  ",": ",{}",
  "±": "\\ensuremath{\\pm}",
  "×": "\\ensuremath{\\times}",
  "÷": "\\ensuremath{\\div}",
  "≤": "\\ensuremath{\\le}",
  "≥": "\\ensuremath{\\ge}",
  "–": "\\textendash{}",
  "—": "\\textemdash{}",
  "…": "\\dots{}",
  α: "\\ensuremath{\\alpha}",
  β: "\\ensuremath{\\beta}",
  δ: "\\ensuremath{\\delta}",
  ε: "\\ensuremath{\\epsilon}",
  λ: "\\ensuremath{\\lambda}",
  ρ: "\\ensuremath{\\rho}",
  σ: "\\ensuremath{\\sigma}",
  τ: "\\ensuremath{\\tau}",
};

/** Letters with accents that every LaTeX has in its first font; `Ð`, `Þ` and the like need another one. */
const ACCENTED = /[À-ÅÇ-ÏÑ-ÖØ-Ýß-åç-ïñ-öø-ýÿÆæ]/;

/**
 * Text from outside as plain LaTeX that compiles with any engine and reads as the text itself. A character that no
 * common font has is shown by its number, `[U+4E2D]`.
 */
export function escapeLatex(text: string): string {
  const escaped = Array.from(singleLine(text), escapedCharacter).join("");
  // Two hyphens are a dash, two commas or apostrophes a quotation mark: only from their like they must stand apart.
  return escaped.replace(/([-,'])\{\}(?!\1)/g, "$1");
}

function escapedCharacter(character: string): string {
  const special = Object.hasOwn(SPECIALS, character) ? SPECIALS[character] : undefined;
  if (special !== undefined) return special;
  if (/[ -~]/.test(character) || ACCENTED.test(character)) return character;
  return `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`;
}

/** Text behind `%`: one line, in which nothing means anything. */
export function latexComment(text: string): string {
  return `% ${singleLine(text)}`;
}
