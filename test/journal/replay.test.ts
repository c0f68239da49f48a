import { describe, expect, it } from "vitest";
import type { Command } from "../../src/core/commands.js";
import { detectorRule } from "../../src/core/measured.js";
import { reduce } from "../../src/core/reduce.js";
import { CORE_VERSION, type State } from "../../src/core/state.js";
import { ReplayDivergence } from "../../src/errors.js";
import { decodeLine, eventDecoder } from "../../src/journal/decode.js";
import { encodeRecord, JOURNAL_FORMAT, type JournalRecord } from "../../src/journal/format.js";
import { askWhatIf, observeRecord, replayJournal, requireSameCore, verifyJournal } from "../../src/journal/replay.js";
import { simulatedConfig, SimulatedRun } from "../support/simulated-run.js";

const run = new SimulatedRun(simulatedConfig("probe.until=end")).finish();
const records = run.records.map((record) => decodeLine(encodeRecord(record).slice(0, -1), 0));

function changed(n: number, change: (record: JournalRecord) => JournalRecord): JournalRecord[] {
  return records.map((record) => (record.n === n ? change(record) : record));
}

describe("replaying a journal", () => {
  it("gives the state of the run, record by record or at once", () => {
    expect(replayJournal(records)).toEqual(run.state);
    const state = records.reduce<State | null>((before, { event }) => reduce(before, event).state, null);
    expect(state).toEqual(run.state);
  });

  it("gives every command again", () => {
    const { numCommands, state } = verifyJournal(records);
    expect(state).toEqual(run.state);
    expect(numCommands).toBe(records.flatMap((record) => record.commands ?? []).length);
  });

  it("gives from events alone the records with all that was decided", () => {
    const decode = eventDecoder();
    let state: State | null = null;
    for (const record of records) {
      const observed = observeRecord(state, decode(encodeRecord(record).slice(0, -1), 0));
      expect(observed.record).toEqual({ decisions: [], commands: [], ...record });
      state = observed.state;
    }
    expect(state).toEqual(run.state);
  });

  it("keeps what another core has decided", () => {
    const [created, started] = records as [JournalRecord, JournalRecord];
    const other = { ...created, event: { ...created.event, coreVersion: CORE_VERSION - 1 } } as JournalRecord;
    const { state } = observeRecord(null, other);
    expect(observeRecord(state, { ...started, commands: [] }).record.commands).toEqual([]);
    expect(observeRecord(observeRecord(null, created).state, { ...started, commands: [] }).record.commands).not.toEqual(
      [],
    );
  });

  it("takes a record without decisions and commands for one with none", () => {
    const { commands: _c, decisions: _d, ...bare } = records.find(({ event }) => event.type === "attempt/launched")!;
    expect(() => verifyJournal(changed(bare.n, () => bare))).not.toThrow();
  });

  it("diverges where a command is another one, is missing, or a decision is", () => {
    const granted = records.find(({ commands }) => commands?.some(({ type }) => type === "worker/grant"))!;
    const other = (command: Command): Command =>
      command.type === "worker/grant" ? { ...command, body: { ...command.body, until: 3 } } : command;
    const commands = granted.commands!.map(other);
    const attempt = (): unknown => verifyJournal(changed(granted.n, (record) => ({ ...record, commands })));
    expect(attempt).toThrow(ReplayDivergence);
    expect(attempt).toThrow(`record ${granted.n} (\`worker/prepared\`) gives other commands than the journal holds`);
    expect(() => verifyJournal(changed(granted.n, (record) => ({ ...record, commands: [] })))).toThrow(
      ReplayDivergence,
    );
    const decided = records.find(({ decisions }) => decisions?.some(({ type }) => type === "interval/decided"))!;
    expect(() => verifyJournal(changed(decided.n, (record) => ({ ...record, decisions: [] })))).toThrow(
      "gives other decisions",
    );
  });

  it("diverges where the creation itself ordered something", () => {
    const { n } = records[0]!;
    const { commands } = records.find(({ commands = [] }) => commands.length > 0)!;
    expect(() => verifyJournal(changed(n, (record) => ({ ...record, commands: commands! })))).toThrow(
      `record ${n} (\`run/created\`) gives other commands than the journal holds`,
    );
  });

  it("diverges where an event is another one", () => {
    const measured = records.find(({ decisions }) => decisions?.some(({ type }) => type === "interval/decided"))!;
    const without = records.filter(({ n }) => n !== measured.n);
    expect(() => verifyJournal(without)).toThrow(ReplayDivergence);
  });

  it("refuses what does not begin with a run, and another format", () => {
    expect(() => replayJournal([])).toThrow("the journal does not begin with the creation of a run");
    expect(() => verifyJournal(records.slice(1))).toThrow("the journal does not begin with the creation of a run");
    const other = changed(1, (record) => ({
      ...record,
      event: { ...record.event, format: JOURNAL_FORMAT + 1 } as JournalRecord["event"],
    }));
    expect(() => decodeLine(encodeRecord(other[0]!).trimEnd(), 0)).toThrow(
      `the journal has format ${JOURNAL_FORMAT + 1}, this version reads ${JOURNAL_FORMAT}`,
    );
  });
});

describe("another core version", () => {
  it("is refused, naming the version to install", () => {
    expect(() => requireSameCore(run.state)).not.toThrow();
    const attempt = (): void => requireSameCore({ ...run.state, coreVersion: CORE_VERSION + 1 });
    expect(attempt).toThrow(`the run was decided by core version ${CORE_VERSION + 1}, this is version ${CORE_VERSION}`);
  });
});

describe("what if", () => {
  const { tau, epsilon } = detectorRule(run.state.config);

  it("another detector had decided: the run's own gives the run's own k", () => {
    const answer = askWhatIf(run.state, { metric: "fisher_trace", tau, epsilon });
    expect(answer).toMatchObject({ points: 31, every: 2, kOnline: run.state.interval!.k, offline: { k: 6 } });
  });

  it("another detector had decided: a wider window or a smaller tolerance is later", () => {
    const kOnline = (question: { tau: number; epsilon: number }): number | null =>
      askWhatIf(run.state, { metric: "fisher_trace", ...question }).kOnline;
    expect(kOnline({ tau: 8, epsilon })!).toBeGreaterThan(run.state.interval!.k);
    expect(kOnline({ tau, epsilon: 0.001 })!).toBeGreaterThan(run.state.interval!.k);
    expect(kOnline({ tau: 40, epsilon })).toBeNull();
  });

  it("refuses a series that was never measured, naming those that were", () => {
    const ask = (): unknown => askWhatIf(run.state, { metric: "sharpness_avg", tau, epsilon });
    expect(ask).toThrow(expect.objectContaining({ code: "no_such_series", hint: "it has `fisher_trace`" }) as Error);
  });
});
