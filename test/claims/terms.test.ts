import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Holder } from "../../src/claims/holder.js";
import { highestTerm, newestOf, releaseTerm, takeTerm } from "../../src/claims/terms.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "thawline-terms-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const holder = (id: string): Holder => ({ id, pid: 1, startTime: "1", host: "h" });

it("are counted as numbers, and other names are none", () => {
  for (const name of ["claim.9", "claim.10", "claim.x", "claim.11.old", ".claim.12", "lock.13"]) {
    writeFileSync(join(root, name), "");
  }
  expect(highestTerm(root, "claim")).toBe(10);
});

it("whose link was made and its answer lost are known by the name in them", () => {
  const mine = holder("mine");
  writeFileSync(join(root, "claim.1"), JSON.stringify(mine));
  expect(takeTerm(root, "claim", { after: 0, holder: mine, mode: 0o600 })?.term).toBe(1);
  expect(takeTerm(root, "claim", { after: 0, holder: holder("other"), mode: 0o600 })).toBeNull();
});

/** What one of several processes does next. Between looking and taking, any of the others may do anything. */
type Step = readonly [who: number, what: "look" | "take" | "release" | "die"];
const steps = fc.array(
  fc.tuple(fc.nat({ max: 3 }), fc.constantFrom<Step[1]>("look", "take", "take", "release", "die")),
  { maxLength: 40 },
);

describe("processes that look and take in any order", () => {
  it("have one holder at most, and somebody can always take what nobody holds", () => {
    fc.assert(
      fc.property(steps, (order) => {
        const folder = mkdtempSync(join(root, "order-"));
        const world = new World(folder);
        for (const [who, what] of order) {
          world[what](who);
          expect(world.holders().length).toBeLessThanOrEqual(1);
        }
        for (const who of [0, 1, 2, 3]) world.die(who);
        world.look(0);
        world.take(0);
        expect(world.holders()).toEqual([0]);
        expect(readdirSync(folder)).toHaveLength(1);
      }),
      { numRuns: 150 },
    );
  });
});

/** Processes that know of each other what the folder says, and whether the one that it names is alive. */
class World {
  /** By process: the term after which it means to take, since it saw that nobody lives there. */
  private readonly seen = new Map<number, number>();
  private readonly held = new Map<number, { readonly term: number; readonly path: string; readonly holder: Holder }>();
  private count = 0;

  constructor(private readonly folder: string) {}

  look(who: number): void {
    this.seen.delete(who);
    const { term, holder: found } = newestOf(this.folder, "claim");
    const isLive = typeof found !== "string" && [...this.held.values()].some(({ holder }) => holder.id === found.id);
    if (!isLive && !this.held.has(who)) this.seen.set(who, term);
  }

  take(who: number): void {
    const after = this.seen.get(who);
    if (after === undefined) return;
    this.seen.delete(who);
    const mine = holder(`${who}-${(this.count += 1)}`);
    const taken = takeTerm(this.folder, "claim", { after, holder: mine, mode: 0o600 });
    if (taken !== null) this.held.set(who, { ...taken, holder: mine });
  }

  release(who: number): void {
    const mine = this.held.get(who);
    if (mine !== undefined) releaseTerm(mine.path, mine.holder);
    this.held.delete(who);
  }

  die(who: number): void {
    this.held.delete(who);
    this.seen.delete(who);
  }

  /** Who holds it, by the one rule: the highest term. */
  holders(): number[] {
    return [...this.held].filter(([, { term }]) => term === highestTerm(this.folder, "claim")).map(([who]) => who);
  }
}
