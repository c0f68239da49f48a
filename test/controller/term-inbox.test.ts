import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Inbox } from "../../src/inbox/inbox.js";
import { writeRequestFile } from "../../src/inbox/write.js";
import { simulatedConfig } from "../support/simulated-run.js";
import { TermUnderTest } from "./term-under-test.js";

/** Nothing is measured, so that a boundary is a change or an order. */
const FIXED = simulatedConfig("intervention.k=3", "checkpoint.every=1000");

let term: TermUnderTest;
afterEach(() => term.dispose());

describe("the inbox", () => {
  const pause = { who: "me", request: { verb: "pause" } } as const;

  it("is looked at four times a second; a request is removed once it is journaled", async () => {
    term = await new TermUnderTest(FIXED).training();
    const id = writeRequestFile(term.folder, { term: 1, ...pause });
    await term.clock.pass(250);
    await term.ledger.until("journal operator/requested");
    expect(term.journal.records.map(({ event }) => event)).toContainEqual({ type: "operator/requested", id, ...pause });
    expect(term.ledger.since("journal operator/requested")[1]).toBe("send recall");
    await looksUntil(term, async () => (await waiting(term)) === 0);
  });

  it("ends the run, within the same time, where the run folder is no longer what was taken over", async () => {
    term = await new TermUnderTest(FIXED).training();
    renameSync(term.folder, `${term.folder}-moved`);
    try {
      await term.clock.pass(250);
      await expect(term.ended).rejects.toMatchObject({ code: "run_folder_gone" });
      expect(existsSync(term.folder)).toBe(false);
      expect(term.ledger.lines).toContain("kill 4001");
    } finally {
      renameSync(`${term.folder}-moved`, term.folder);
    }
  });

  it("lets a request to another term expire", async () => {
    term = await new TermUnderTest(FIXED).training();
    writeRequestFile(term.folder, { term: 2, ...pause });
    await term.clock.pass(250);
    await looksUntil(term, async () => (await waiting(term)) === 0);
    expect(term.notices).toEqual(["ignored an expired request of me"]);
    expect(term.ledger.count("journal operator/requested")).toBe(0);
  });

  it("keeps a request that could not be journaled", async () => {
    term = await new TermUnderTest(FIXED).training();
    writeRequestFile(term.folder, { term: 1, ...pause });
    term.journal.fault = new Error("the disk is gone");
    await term.clock.pass(250);
    await expect(term.ended).rejects.toThrow("the disk is gone");
    expect(await waiting(term)).toBe(1);
  });

  it("may be full of what holds no request: one sentence for all", async () => {
    term = await new TermUnderTest(FIXED).training();
    mkdirSync(join(term.folder, "inbox"), { recursive: true });
    for (const name of ["a", "b", "c"]) writeFileSync(join(term.folder, "inbox", `${name}.json`), "{}");
    await term.clock.pass(250);
    await looksUntil(term, async () => (await waiting(term)) === 0);
    expect(term.notices).toEqual([expect.stringMatching(/a\.json`: it holds no request \(and 2 more like it\)$/)]);
  });

  it("may be no folder, gone, or come back: the run goes on, says so once and takes requests again", async () => {
    term = await new TermUnderTest(FIXED).training();
    const inbox = join(term.folder, "inbox");
    rmSync(inbox, { recursive: true, force: true });
    writeFileSync(inbox, "no folder");
    await looksUntil(term, () => term.notices.length > 0);
    await looks(term, 5);
    expect(term.notices).toEqual([expect.stringContaining("cannot be read (ENOTDIR)")]);
    rmSync(inbox);
    writeRequestFile(term.folder, { term: 1, ...pause });
    await looksUntil(term, () => term.ledger.count("journal operator/requested") > 0);
    term.reach(term.grant.until!, true);
    expect(term.state!.end).toBeNull();
  });
});

/** How many requests lie in the inbox. */
async function waiting({ folder }: TermUnderTest): Promise<number> {
  return (await new Inbox(folder).look()).length;
}

/** Lets the term look into its inbox so often; each look has some time to end before the next. */
async function looks({ clock }: TermUnderTest, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await clock.pass(250);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function looksUntil(term: TermUnderTest, seen: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await seen())) await looks(term, 1);
}
