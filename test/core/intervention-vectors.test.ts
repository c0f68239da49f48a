import { describe, expect, it, test } from "vitest";
import { interventionVectors, vectorFile } from "../vectors/interventions/generate.js";

test("the committed grants are those of this core", async () => {
  await expect(vectorFile()).toMatchFileSnapshot(
    new URL("../vectors/interventions/grants.json", import.meta.url).pathname,
  );
});

describe("the cases", () => {
  const vectors = new Map(interventionVectors().map((vector) => [vector.name, vector]));
  const k = (name: string): unknown => vectors.get(name)!.intervention["k"];

  it("are what their names say", () => {
    const [decided, limit, lateDecided] = [k("online"), k("online, capped"), k("late start, online")];
    // The rule needs more points than a small k_max leaves it.
    expect(decided).toBeGreaterThan(4);
    expect(decided).toBeLessThan(11);
    expect(lateDecided).toBe(decided);
    expect(k("low to high, online")).toBe(decided);
    expect(limit).toBe(4);
    expect(k("online, capped by default")).toBe(4);
    expect(k("late start, capped by default")).toBe(3);
    expect(k("low to high, capped by default")).toBe(3);
    expect(k("none")).toBeNull();
    const [random, upward] = ["random order", "bottom up"].map((name) => vectors.get(name)!.unfreezing_order);
    expect([...random!].sort()).toEqual([...upward!].sort());
    expect(random).not.toEqual(upward);
    expect(random).not.toEqual(["top", "middle", "stem"]);
  });
});
