import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyDecoder } from "../../../src/ui/model/key-decoder.js";

function decode(...pieces: string[]): string[] {
  const decoder = new KeyDecoder();
  return pieces.flatMap((piece) => decoder.decode(piece));
}

describe("KeyDecoder", () => {
  it.each([
    ["a letter", "q", ["q"]],
    ["letters that arrive together", "my", ["m", "y"]],
    ["Ctrl-C", "\u0003", ["ctrl+c"]],
    ["Ctrl-C pressed twice", "\u0003\u0003", ["ctrl+c", "ctrl+c"]],
    ["Ctrl-C pressed five times", "\u0003".repeat(5), Array<string>(5).fill("ctrl+c")],
    ["Ctrl-C among letters", "a\u0003b", ["a", "ctrl+c", "b"]],
    ["Ctrl-C behind an escape", "\u001b\u0003", ["esc", "ctrl+c"]],
    ["Ctrl-C inside an arrow key", "\u001b[\u0003", ["ctrl+c"]],
    ["Ctrl-C inside a key with parameters", "\u001b[1;5\u0003", ["ctrl+c"]],
    ["Ctrl-C inside a function key", "\u001bO\u0003", ["ctrl+c"]],
    ["Ctrl-C as newer terminals send it", "\u001b[99;5u\u001b[27;5;99~", ["ctrl+c", "ctrl+c"]],
    ["tab twice", "\t\t", ["tab", "tab"]],
    ["escape twice", "\u001b\u001b", ["esc", "esc"]],
    ["shift and tab", "\u001b[Z", ["shift+tab"]],
    ["arrows", "\u001b[A\u001bOB\u001b[1;5C", ["up", "down", "right"]],
    ["a key that has no name here", "\u001b[15~\u001b[200~", []],
    ["Alt and a letter", "\u001bq", ["meta+q"]],
    ["what is no ASCII", "ä😀", ["ä", "😀"]],
    ["return and backspace", "\r\u007f", ["return", "backspace"]],
  ])("names %s", (_, text, keys) => {
    expect(decode(text)).toEqual(keys);
  });

  it("takes a key that arrives in pieces for one, and none of its letters for keys", () => {
    expect(decode("\u001b[1;", "5", "C")).toEqual(["right"]);
    expect(decode("\u001b[", "Z")).toEqual(["shift+tab"]);
    expect(decode("\u001bO", "A")).toEqual(["up"]);
    expect(decode("\u001b", "[15~", "q")).toEqual(["esc", "q"]);
    expect(decode("\u001b", "q")).toEqual(["esc", "q"]);
  });

  it("waits for no end of what is no key", () => {
    expect(decode(`\u001b[${"1;".repeat(100)}`, "q")).toEqual(["q"]);
  });

  it("counts every Ctrl-C, wherever it was pressed and however it was cut", () => {
    const keys = fc.constantFrom(
      "q",
      "\t",
      "\u001b",
      "\u001b[",
      "\u001b[A",
      "\u001b[1;5",
      "\u001bO",
      "ä",
      "~",
      "\u0003",
    );
    fc.assert(
      fc.property(fc.array(keys), fc.array(fc.nat(3)), (pressed, cuts) => {
        const text = pressed.join("");
        const pieces: string[] = [];
        for (let offset = 0, cut = 0; offset < text.length; cut += 1) {
          const length = (cuts[cut % Math.max(1, cuts.length)] ?? 0) + 1;
          pieces.push(text.slice(offset, offset + length));
          offset += length;
        }
        const found = decode(...pieces).filter((key) => key === "ctrl+c").length;
        expect(found).toBe(pressed.filter((key) => key === "\u0003").length);
      }),
    );
  });
});
