import { describe, expect, it } from "vitest";
import { parseWhatIf } from "../../src/report/parse-what-if.js";

describe("the rules of --what-if", () => {
  it("are every combination of what is named, each once and in order", () => {
    expect(parseWhatIf(["epsilon=0.05,0.01,0.05", "tau=8,3"])).toEqual({
      tau: [3, 8],
      epsilon: [0.01, 0.05],
      mode: null,
    });
  });

  it("have defaults for what is not named", () => {
    expect(parseWhatIf(["tau=4"])).toEqual({ tau: [4], epsilon: [0.02], mode: null });
    expect(parseWhatIf(["epsilon=0.1"])).toEqual({ tau: [3, 8], epsilon: [0.1], mode: null });
  });

  it("say which values of a recorded signal are better", () => {
    expect(parseWhatIf(["mode=max", "tau=4"])).toEqual({ tau: [4], epsilon: [0.02], mode: "max" });
  });

  it.each([
    "mode=best",
    "mode=",
    "tau=1",
    "tau=2.5",
    "epsilon=0",
    "epsilon=1",
    "tau=",
    "tau=3,,8",
    "sigma=1",
    "runs/mine",
  ])("refuse %s by name", (word) => {
    expect(() => parseWhatIf([word])).toThrow(`\`--what-if\` does not understand \`${word}\``);
  });

  it("refuse one key twice, and more rules than anybody reads", () => {
    expect(() => parseWhatIf(["mode=min", "mode=max"])).toThrow("does not understand `mode=max`");
    expect(() => parseWhatIf(["tau=3", "tau=4"])).toThrow("does not understand `tau=4`");
    const many = Array.from({ length: 30 }, (_, index) => index + 2).join();
    const tolerances = Array.from({ length: 30 }, (_, index) => (index + 1) / 100).join();
    expect(() => parseWhatIf([`tau=${many}`, `epsilon=${tolerances}`])).toThrow("does not understand");
  });
});
