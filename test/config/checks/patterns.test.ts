import fc from "fast-check";
import { expect, it } from "vitest";
import { patternFault } from "../../../src/config/checks/patterns.js";

it.each([
  ["^conv(", "unterminated group"],
  ["^conv)", "unmatched ')'"],
  ["^conv[12", "unterminated character class"],
  ["*.weight", "nothing to repeat"],
  ["conv{3,1}", "numbers out of order in {} quantifier"],
  ["conv\\", "\\ at end of pattern"],
])("finds the fault of %s", (pattern, fault) => {
  expect(patternFault(pattern)).toBe(fault);
});

it.each(["(?P<stage>layer)[34]", "(?i)conv", "[]x]", "[^]x]", "a++", "(?>a)b", "(?<=a)*", "(?#why)a", "[\\a-z]"])(
  "leaves to Python what only Python knows: %s",
  (pattern) => {
    expect(patternFault(pattern)).toBeNull();
  },
);

it("accepts any expression that both languages write alike", () => {
  const atom = fc.constantFrom("conv", "\\d", "[0-9a-f]", "(?:bn|conv)", "(layer)", "\\.", ".");
  const term = fc.tuple(atom, fc.constantFrom("", "*", "+?", "{2}", "{1,3}")).map((parts) => parts.join(""));
  const expression = fc.array(term, { minLength: 1, maxLength: 5 }).map((terms) => `^${terms.join("")}$`);
  fc.assert(fc.property(expression, (pattern) => patternFault(pattern) === null));
});
