import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { curveKeyPair, Dealer } from "zeromq";
import type { Bootstrap } from "../../src/launch/bootstrap.js";
import { connect, hello, trySend } from "../transport/fake-worker.js";
import { eventsOf, removeRunFolders, runScripted, type ScriptedRun, verdict } from "./misbehaving-run.js";

/** Long enough for a handshake on loopback; nothing may arrive within it. */
const QUIET_MILLISECONDS = 500;

/** A bootstrap file as the launcher found it. */
interface Handover {
  readonly path: string;
  readonly bootstrap: Bootstrap;
  readonly modes: readonly string[];
}

const handovers: Handover[] = [];
const commandLines = new Set<string>();
/** Records in the journal before and after the strangers had their turn. */
const recordsAround: number[] = [];
/** What the operating system told those who knocked without ZeroMQ. */
const refusals: string[] = [];
/** Whether the second attempt's bootstrap file was still there while that attempt waited. */
let bootstrapLeft: boolean;
let run: ScriptedRun;

/**
 * One run for all that follows: its first attempt dies, so that an expelled key exists; its second one is paused, and
 * while it waits everybody who is not its worker knocks at the door.
 */
beforeAll(async () => {
  let numRecords = 0;
  run = await runScripted({
    worker: ["dies_once.py"],
    onLaunch: ({ bootstrapPath }) => handovers.push(lookAt(bootstrapPath)),
    onRecord: ({ n }) => {
      numRecords = n;
      for (const line of allCommandLines()) commandLines.add(line);
    },
    pause: {
      attempt: 2,
      act: async () => {
        const [expelled, current] = handovers;
        recordsAround.push(numRecords);
        await knock(expelled!.bootstrap, current!.bootstrap);
        recordsAround.push(numRecords);
        bootstrapLeft = existsSync(dirname(current!.path));
      },
    },
  });
});
afterAll(removeRunFolders);

function lookAt(path: string): Handover {
  const modes = [path, dirname(path)].map((name) => (statSync(name).mode & 0o777).toString(8));
  return { path, modes, bootstrap: JSON.parse(readFileSync(path, "utf8")) as Bootstrap };
}

/** Everybody without the current attempt's secret key, all at once, with what a worker would say. */
async function knock(expelled: Bootstrap, current: Bootstrap): Promise<void> {
  const { endpoint, server_key: serverPublicKey } = current;
  const door = { endpoint, serverPublicKey };
  const keysOf = (bootstrap: Bootstrap) => ({ publicKey: bootstrap.public_key, secretKey: bootstrap.secret_key });
  const withoutCurve = (options: ConstructorParameters<typeof Dealer>[0]) => {
    const dealer = new Dealer({ linger: 0, routingId: current.public_key, ...options });
    dealer.connect(endpoint);
    return dealer;
  };
  const dealers = [
    withoutCurve({}),
    withoutCurve({ plainUsername: "admin", plainPassword: "admin" }),
    connect(door, curveKeyPair(), { routingId: current.public_key }),
    connect(door, { publicKey: current.public_key, secretKey: curveKeyPair().secretKey }),
    connect({ endpoint, serverPublicKey: curveKeyPair().publicKey }, keysOf(current)),
    connect(door, keysOf(expelled)),
    connect(door, keysOf(expelled), { routingId: current.public_key }),
  ];
  const raw = connectSocket(endpoint.replace("ipc://", "")).on("error", ({ message }) => refusals.push(message));
  raw.write(Buffer.alloc(70_000, 0xff));
  const said = dealers.map((dealer) => trySend(dealer, hello({ run: current.run, attempt: current.attempt })));
  await Promise.all([...said, sleep(QUIET_MILLISECONDS)]);
  raw.destroy();
  for (const dealer of dealers) dealer.close();
}

function allCommandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "latin1")];
      } catch {
        return [];
      }
    });
}

describe("strangers at the door of a waiting run", () => {
  test("leave no trace in its journal", () => {
    const [before, after] = recordsAround;
    expect(before).toBeGreaterThan(0);
    expect(after).toBe(before);
  });

  test("find none: once its worker has come, nobody can connect", () => {
    expect(refusals).toEqual([expect.stringMatching(/ENOENT/)]);
    expect(run.notices).toEqual([]);
  });

  test("do not disturb it: the run finishes with its own worker", () => {
    expect(verdict(run)).toBe("finished, exit code 0, 2 attempts");
    expect(eventsOf(run.records, "worker/connected").map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(eventsOf(run.records, "attempt/violated")).toEqual([]);
  });
});

describe("the secret key of an attempt", () => {
  test("is its own", () => {
    expect(new Set(handovers.map(({ bootstrap }) => bootstrap.secret_key)).size).toBe(2);
  });

  test("is handed over in a file for its owner alone, which is gone once the worker has read it", () => {
    expect(handovers.map(({ modes }) => modes)).toEqual([
      ["600", "700"],
      ["600", "700"],
    ]);
    expect(bootstrapLeft).toBe(false);
  });

  test("is in no argument list of any process", () => {
    expect([...commandLines].some((line) => line.includes("dies_once.py"))).toBe(true);
    expect([...commandLines].filter(holdsSecret)).toEqual([]);
  });

  test("is in no file of the run", () => {
    const files = readdirSync(run.runFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const names = files.map((path) => path.slice(run.runFolder.length + 1));
    expect(names).toEqual(expect.arrayContaining(["journal", "results.json", "manifest.json", "worker.log"]));
    expect(files.filter((path) => holdsSecret(readFileSync(path, "latin1")))).toEqual([]);
  });

  function holdsSecret(text: string): boolean {
    return handovers.some(({ bootstrap }) => text.includes(bootstrap.secret_key));
  }
});
