import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { thisHolder } from "../../src/claims/holder.js";
import { keepLease, type Lease } from "../../src/claims/lease.js";
import { takeTerm } from "../../src/claims/terms.js";

let root: string;
let folder: string;
let lease: Lease | null = null;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "thawline-lease-"));
  folder = mkdtempSync(join(root, "folder-"));
});
afterEach(() => {
  lease?.release();
  vi.useRealTimers();
  rmSync(root, { recursive: true });
});

function kept(heartbeatMilliseconds = 30_000): Lease {
  const holder = thisHolder(folder, heartbeatMilliseconds, {});
  const taken = takeTerm(folder, "claim", { after: 0, holder, mode: 0o600 })!;
  lease = keepLease({ name: "claim", ...taken }, holder, { heartbeatMilliseconds, expiryMilliseconds: 300_000 });
  return lease;
}

const path = (term: number): string => join(folder, `claim.${term}`);

describe("a lease", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "Date", "setInterval", "clearInterval"] });
  });

  it("looks again once a second has passed, and is lost for good where there is a higher term", () => {
    const lease = kept();
    writeFileSync(path(2), "");
    expect(lease.isHeld()).toBe(true);
    vi.advanceTimersByTime(1001);
    expect(lease.isHeld()).toBe(false);
    rmSync(path(2));
    vi.advanceTimersByTime(1001);
    expect(lease.isHeld()).toBe(false);
  });

  it.each([
    ["the machine slept, and only the time of day tells", () => vi.setSystemTime(Date.now() + 3_600_000)],
    ["the time of day was set back", () => (vi.advanceTimersByTime(1001), vi.setSystemTime(0))],
  ])("looks again where %s", (_, happens) => {
    const lease = kept();
    rmSync(path(1));
    writeFileSync(path(2), "");
    happens();
    expect(lease.isHeld()).toBe(false);
  });

  it.each([
    ["was emptied", () => writeFileSync(path(1), "")],
    ["is another process's", () => writeFileSync(path(1), readFileSync(path(1), "utf8").replace(/"id":"./, '"id":"-'))],
    ["was removed", () => rmSync(path(1))],
  ])("is lost where its file %s, and then leaves the file alone", (_, happens) => {
    const lease = kept();
    happens();
    vi.advanceTimersByTime(1001);
    expect(lease.isHeld()).toBe(false);
    const before = statSync(path(1), { throwIfNoEntry: false })?.size;
    lease.release();
    expect(statSync(path(1), { throwIfNoEntry: false })?.size).toBe(before);
  });

  it("outlives a file system that is away for a while, but not for as long as others wait", () => {
    const lease = kept();
    renameSync(folder, `${folder}-away`);
    vi.advanceTimersByTime(299_000);
    expect(lease.isHeld()).toBe(true);
    renameSync(`${folder}-away`, folder);
    expect(lease.isHeld()).toBe(true);
    renameSync(folder, `${folder}-away`);
    vi.advanceTimersByTime(301_000);
    expect(lease.isHeld()).toBe(false);
    renameSync(`${folder}-away`, folder);
    expect(lease.isHeld()).toBe(false);
  });

  it("keeps its term when it is released, and names nobody", () => {
    const lease = kept();
    lease.release();
    expect(lease.isHeld()).toBe(false);
    expect(readFileSync(path(1), "utf8")).toBe("");
  });
});

describe("the heartbeat", () => {
  it("has the server write the time, and changes nothing in the file", async () => {
    const lease = kept(50);
    const text = readFileSync(path(1), "utf8");
    utimesSync(path(1), 0, 0);
    await expect.poll(() => statSync(path(1)).mtimeMs).toBeGreaterThan(0);
    expect(readFileSync(path(1), "utf8")).toBe(text);
    expect(lease.isHeld()).toBe(true);
  });

  it("of a lease that was lost touches nothing", async () => {
    const lease = kept(50);
    writeFileSync(path(2), "");
    await expect.poll(() => lease.isHeld()).toBe(false);
    utimesSync(path(1), 0, 0);
    await new Promise((done) => setTimeout(done, 200));
    expect(statSync(path(1)).mtimeMs).toBe(0);
  });
});
