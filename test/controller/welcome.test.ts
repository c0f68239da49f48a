import { describe, expect, it } from "vitest";
import { requireFittingWelcome } from "../../src/controller/welcome.js";
import { workerConfig } from "../../src/controller/worker-config.js";
import { UserError } from "../../src/errors.js";
import { simulatedConfig, simulatedTextConfig } from "../support/simulated-run.js";

const WHERE = { run: "r-20260101T000000Z", runFolder: `/home/${"x".repeat(4000)}` };

function refusal(config: Record<string, unknown>, where = WHERE): { message: string; hint: string } {
  try {
    requireFittingWelcome(config, where);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "configuration_too_large") throw error;
    return {
      message: error.message.replace("the configuration is too large to be sent to the worker: ", ""),
      hint: error.hint,
    };
  }
  throw new Error("it was not refused");
}

describe("a configuration that fits into a welcome", () => {
  it.each([
    ["of images", simulatedConfig()],
    ["of texts", simulatedTextConfig()],
  ])("passes: %s", (_, config) => {
    expect(() => requireFittingWelcome(workerConfig(config), WHERE)).not.toThrow();
  });

  it("passes with as many entries as an array may hold", () => {
    expect(() => requireFittingWelcome({ data: { tests: numbers(1024) } }, WHERE)).not.toThrow();
  });
});

describe("a configuration that does not is refused by", () => {
  it("a list of too many entries", () => {
    expect(refusal({ seed: 0, data: { kind: "question_answering", tests: numbers(1100) } })).toEqual({
      message: "`data.tests` is an array of 1100 elements (limit 1024)",
      hint: "shorten the list `data.tests`, for example by spreading its entries over several runs",
    });
  });

  it("a list whose entries are long together", () => {
    const tests = numbers(900).map((n) => ({ name: `set ${n}`, path: `/data/${"y".repeat(100)}/${n}.json` }));
    const { message, hint } = refusal({ seed: 0, data: { max_length: 384, tests } });
    expect(message).toMatch(
      /^`data\.tests`, a list of 900 entries, takes \d{6} bytes of a message that holds 65536 in all$/,
    );
    expect(hint).toContain("shorten the list `data.tests`");
  });

  it("a long text", () => {
    expect(refusal({ data: { train: { path: "z".repeat(20_000) } } })).toEqual({
      message: "`data.train.path` is a string of 20000 bytes (limit 16384)",
      hint: "shorten `data.train.path`",
    });
  });

  it("long texts that are many", () => {
    const path = "z".repeat(15_000);
    const { message } = refusal({ data: { a: path, b: path, c: path, d: path, e: path } });
    expect(message).toMatch(/^`data` takes 750\d\d bytes/);
  });

  it("options that are nested too deeply", () => {
    const options = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } } };
    expect(refusal({ seed: 0, model: { options } })).toEqual({
      message: "`model.options.a.b.c.d.e.f.g` is nested too deeply",
      hint: "nest the values of `model.options.a.b.c.d.e.f.g` less deeply",
    });
  });

  it("options that are nested one level too deeply", () => {
    const options = { a: { b: { c: { d: { e: 1 } } } } };
    expect(() => requireFittingWelcome({ model: { options: options.a } }, WHERE)).not.toThrow();
    expect(refusal({ model: { options } }).message).toMatch(/^`model\.options\.a\.b\.c\.d[.e]*` is nested/);
  });

  it("a mapping of too many keys", () => {
    const options = Object.fromEntries(numbers(300).map((n) => [`option ${n}`, n]));
    expect(refusal({ model: { options } })).toEqual({
      message: "`model.options` is a map of 300 elements (limit 256)",
      hint: "give fewer keys in `model.options`",
    });
  });

  it("the name that it gives the run", () => {
    expect(refusal({ seed: 0 }, { ...WHERE, run: "n".repeat(300) })).toEqual({
      message: "`name` gives the run a name of 300 characters",
      hint: "shorten `name`",
    });
  });
});

function numbers(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
