import { expect, it } from "vitest";
import { LANGUAGES } from "../../../src/config/schema/text-data.js";

it.each([
  ["xquad", 10],
  ["mlqa", 6],
  ["xnli", 14],
])("has English and the others of %s once each: %i", (testSet, others) => {
  const languages = LANGUAGES[testSet] ?? [];
  expect(new Set(languages).size).toBe(languages.length);
  expect([languages[0], languages.length - 1]).toEqual(["en", others]);
});
