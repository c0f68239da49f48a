import { describe, expect, it } from "vitest";
import { Faults } from "../../src/controller/faults.js";

describe("a callback", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("of a callback");
      },
    ],
    ["rejects", () => Promise.reject(new Error("of a callback"))],
  ])("that %s tells the listener, and its caller nothing", async (_, task) => {
    const faults = new Faults();
    const heard: unknown[] = [];
    faults.listen((error) => heard.push(error));
    faults.callback(task)();
    await Promise.resolve().then(() => undefined);
    expect(heard).toEqual([new Error("of a callback")]);
  });

  it("passes its arguments on", () => {
    const sums: number[] = [];
    new Faults().callback((one: number, other: number) => void sums.push(one + other))(1, 2);
    expect(sums).toEqual([3]);
  });
});

it("keeps a fault for the listener that comes later", () => {
  const faults = new Faults();
  faults.report(new Error("early"));
  const heard: unknown[] = [];
  faults.listen((error) => heard.push(error));
  expect(heard).toEqual([new Error("early")]);
});
