import { renderToString } from "ink";
import { describe, expect, it } from "vitest";
import { bindingFor, KEYMAP } from "../../../src/ui/model/keymap.js";
import { Help } from "../../../src/ui/views/help.js";

describe("keymap", () => {
  it("gives each key one meaning", () => {
    const keys = KEYMAP.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const binding of KEYMAP) for (const key of binding.keys) expect(bindingFor(key)).toBe(binding);
    expect(bindingFor("F1")).toBeNull();
  });

  it.each([15, 35])("is listed whole by the help overlay, in %i rows as well", (rows) => {
    const help = renderToString(<Help rows={rows} columns={80} />, { columns: 80 });
    for (const { keys, help: meaning } of KEYMAP) {
      const line = help.split("\n").find((text) => text.trim().startsWith(keys.join(", ")) && text.includes(meaning));
      expect(line, `${keys.join(", ")}: ${meaning}`).toBeDefined();
    }
  });
});
