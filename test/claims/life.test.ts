import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { processNamespace, type Holder, type SlurmJob } from "../../src/claims/holder.js";
import type { HasEnded } from "../../src/claims/scheduler.js";
import { lifeOf, type Life } from "../../src/claims/life.js";
import { startTimeOf } from "../../src/process-identity.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thawline-life-"));
  path = join(folder, "claim.1");
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const JOB: SlurmJob = { cluster: "c", id: "812", task: "810_2", restarts: 0 };

function elsewhere(difference: Partial<Holder> = {}): Holder {
  const beats = { heartbeatMilliseconds: 30_000, user: process.getuid!() };
  return { pid: 99, startTime: "1", host: "node17", ...beats, ...difference };
}

/** Of a file that was last touched so long ago, by the file system's clock. */
function after(silenceMilliseconds: number, holder: Holder, hasEnded: (job: SlurmJob) => boolean | null): Life {
  writeFileSync(path, JSON.stringify(holder));
  const at = (statSync(path).mtimeMs - silenceMilliseconds) / 1000;
  utimesSync(path, at, at);
  return lifeOf(path, holder, { hasEnded });
}

describe("a holder on another host", () => {
  const never = (): never => {
    throw new Error("nobody is to be asked");
  };

  it.each<[string, number, Partial<Holder>, HasEnded, Life]>([
    ["is alive while its heartbeat is fresh, whoever says otherwise", 5_000, { job: JOB }, never, "alive"],
    ["is dead when it has missed one and its scheduler has ended it", 45_000, { job: JOB }, () => true, "dead"],
    ["is alive while its scheduler runs it", 200_000, { job: JOB }, () => false, "alive"],
    ["is alive while nothing is said of its job", 200_000, { job: JOB }, () => null, "alive"],
    ["is alive while it may come back, without a job", 200_000, { job: null }, never, "alive"],
    ["is dead once it has been silent for long", 301_000, { job: null }, never, "dead"],
    ["is dead once it has been silent for long, although its job runs", 301_000, { job: JOB }, () => false, "dead"],
    ["is another user's, of whose jobs nothing is asked", 200_000, { job: JOB, user: 4_000_000 }, never, "alive"],
    [
      "may live where it never beats",
      9_000_000,
      { heartbeatMilliseconds: undefined as unknown as number },
      never,
      "unknown",
    ],
    ["with a time to come is alive", -3_600_000, { job: JOB }, never, "alive"],
  ])("%s", (_, silence, difference, hasEnded, life) => {
    expect(after(silence, elsewhere(difference), hasEnded)).toBe(life);
  });

  it("has the job asked for that it names", () => {
    const hasEnded = vi.fn(() => true);
    after(45_000, elsewhere({ job: JOB }), hasEnded);
    expect(hasEnded.mock.calls).toEqual([[JOB]]);
  });

  it.each([-1, 1])("is judged the same on a machine whose clock is years away (%i)", (sign) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + sign * 1e11 });
    expect(after(5_000, elsewhere(), never)).toBe("alive");
    expect(after(301_000, elsewhere(), never)).toBe("dead");
  });
});

describe("a holder on this host", () => {
  const me = (): Holder => ({
    ...elsewhere({ pid: process.pid, startTime: startTimeOf(process.pid)! }),
    host: hostname(),
  });
  const noAnswer = (): null => null;

  it("is alive while its process is, however silent", () => {
    expect(after(9_000_000, { ...me(), processNamespace: processNamespace() }, noAnswer)).toBe("alive");
    expect(after(0, { ...me(), startTime: "1" }, noAnswer)).toBe("dead");
  });

  it("whose process ids are others than ours, as in a container, is judged by its heartbeat", () => {
    const other = { ...me(), startTime: "1", processNamespace: "pid:[1]" };
    expect(after(5_000, other, noAnswer)).toBe("alive");
    expect(after(301_000, other, noAnswer)).toBe("dead");
  });
});

it("a file that has gone says nothing", () => {
  expect(lifeOf(path, elsewhere())).toBe("unknown");
});
