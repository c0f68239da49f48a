/**
 * What Python's regular expressions have and JavaScript's lack, or mean otherwise: groups with an extension other than
 * `(?:`, classes that begin with `]`, possessive quantifiers, and three escapes.
 */
const FOR_PYTHON_TO_JUDGE = /\(\?(?!:)|\[\^?\]|[*+?}]\+|\\[aNU]/;

/**
 * Why `pattern` is no regular expression in Python either, as far as JavaScript can tell; null where it is one, or
 * where only the worker can tell. So a slip is found before anything is created, and nothing good is refused.
 */
export function patternFault(pattern: string): string | null {
  if (FOR_PYTHON_TO_JUDGE.test(pattern)) return null;
  try {
    new RegExp(pattern);
    return null;
  } catch (error) {
    const message = (error as SyntaxError).message;
    return message.slice(message.lastIndexOf(": ") + 2).toLowerCase();
  }
}
