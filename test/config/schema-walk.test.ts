import { describe, expect, it } from "vitest";
import { z } from "zod";
import { formsIn, under } from "../../src/config/schema-walk.js";

const number = z.number();
const text = z.string();

describe("the forms of a schema", () => {
  it("are itself and everything that it wraps or chooses from", () => {
    expect(formsIn(number)).toEqual([number]);
    const optional = number.optional();
    expect(formsIn(optional)).toEqual([optional, number]);
    const choice = z.union([number.nullable(), text]).default("");
    expect(formsIn(choice)).toEqual(expect.arrayContaining([choice, number, text]));
    const read = text.transform(Number).pipe(number);
    expect(formsIn(read)).toEqual(expect.arrayContaining([text, number]));
  });
});

describe("what is under a key", () => {
  const byKind = z.union([z.object({ size: number }), z.object({ size: text, other: text })]).optional();

  it("is what a mapping has there in each of its forms", () => {
    expect(under([byKind], "size")).toEqual([number, text]);
    expect(under([byKind], "other")).toEqual([text]);
  });

  it("is nothing where no form has that key, nor an object's own properties", () => {
    expect(under([byKind], "missing")).toEqual([]);
    expect(under([byKind], "toString")).toEqual([]);
  });

  it("is an element of a list at a position, and of nothing else", () => {
    expect(under([z.array(number)], 3)).toEqual([number]);
    expect(under([z.array(number)], "3")).toEqual([]);
    expect(under([byKind], 0)).toEqual([]);
  });
});
