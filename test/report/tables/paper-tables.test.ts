import { describe, expect, it } from "vitest";
import { paperTable, paperTables } from "../../../src/report/tables/paper-tables.js";
import { PAPER_TABLES } from "../../../src/report/paper/values.js";
import { recordedConfig, recordedSweep } from "../../support/recorded-sweep.js";
import { triedKSweep } from "../../support/tried-k-sweep.js";

const narrow = recordedSweep("mnist-width8");
const table = (number: number) => PAPER_TABLES.find((one) => one.number === number)!;

describe("the paper's tables", () => {
  it("stand beside ours in columns that say so, with the paper's digits", () => {
    const two = paperTable(table(2), [narrow], recordedConfig);
    expect(two.columns.map(({ heading, origin }) => [heading, origin])).toEqual([
      ["MNIST RN18 ID", "measured"],
      ["MNIST RN18 ID, paper", "paper"],
      ["MNIST RN18 OOD", "measured"],
      ["MNIST RN18 OOD, paper", "paper"],
      ["WR RN18", "measured"],
      ["WR RN18, paper", "paper"],
    ]);
    expect(two.rows.map(({ cells }) => cells[3]!.value)).toEqual([0.3336, 0.5248, 0.5248, 0.5412]);
    expect(two.rows[3]!.cells[3]!.n).toBe(6);
    expect(two.rows[3]!.cells[2]!.value).toBeCloseTo(0.68156, 4);
  });

  it("say in what our runs differ from the paper's, and what was not run", () => {
    const { notes } = paperTable(table(2), [narrow], recordedConfig);
    expect(notes).toContain("Not run here, and left out: CIFAR10 RN18, CIFAR100 RN18, CIFAR10 VGG11.");
    expect(notes).toContain("WR RN18 here is over MNIST RN18 only, the paper's over more.");
    expect(notes.find((note) => note.startsWith("MNIST RN18 here"))).toContain(
      "epochs 4 (10), width 8 (64), 3 seeds (6); of conditions standard, online-sharpness-worst",
    );
  });

  it("are made where there is something to compare", () => {
    expect(paperTables([narrow], recordedConfig).map(({ name }) => name)).toEqual([
      "paper-table-1",
      "paper-table-2",
      "paper-table-6",
    ]);
    expect(paperTables([narrow], () => null)).toEqual([]);
    expect(paperTables([recordedSweep("xquad-small")], recordedConfig)).toEqual([]);
  });

  it("have a winning rate where k's were tried", () => {
    const two = paperTable(table(2), [triedKSweep()], recordedConfig);
    expect(two.rows.map(({ cells }) => cells[4]!.value)).toEqual([null, null, null, 0.5]);
  });

  it("choose none of several conditions that a row may mean", () => {
    const one = paperTable(table(1), [triedKSweep()], recordedConfig);
    expect(one.rows[1]!.cells[0]!.text).toBe("10 conditions");
  });

  it("show every k of ours beside the paper's", () => {
    const six = paperTable(table(6), [narrow], recordedConfig);
    expect(six.rows[2]!.cells[0]!.points.map(({ value }) => value)).toEqual([120, 120, 120]);
    expect(six.rows[2]!.cells[1]).toMatchObject({ value: 210, n: 6 });
  });
});
