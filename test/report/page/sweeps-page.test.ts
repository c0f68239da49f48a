import { expect, it } from "vitest";
import { contentsOver } from "../../../src/report/contents.js";
import { sweepsPage } from "../../../src/report/page/sweeps-page.js";
import type { SweepFacts } from "../../../src/report/sweeps/sweep-facts.js";
import { recordedConfig, recordedSweep } from "../../support/recorded-sweep.js";

function factsOf(prefix: string, name = prefix): SweepFacts {
  const sweep = recordedSweep(prefix, { name });
  const configs = new Map(sweep.runs.map((run) => [run.id, recordedConfig(run)!]));
  return { sweep, isPlanned: true, runs: new Map(), unread: [], configs, differences: {} };
}

it("a page of several sweeps answers for each, and shows each under a name of its own", async () => {
  const contents = contentsOver([factsOf("mnist-width8"), factsOf("cifar10-width16"), factsOf("mnist-width8")], null);
  const names = ["mnist-width8", "cifar10-width16", "mnist-width8-2"];
  expect(contents.parts.map(({ name }) => name)).toEqual(names);
  // Both data sets are columns of one table of the paper's.
  const headings = contents.tables.find(({ name }) => name === "paper-table-2")!.columns.map(({ heading }) => heading);
  expect(headings).toEqual(
    expect.arrayContaining([expect.stringMatching(/^MNIST/), expect.stringMatching(/^CIFAR10/)]),
  );
  const text = await sweepsPage(contents, { written: "2026-01-01T00:00:00Z", figuresFolder: "figures", refresh: null });
  for (const name of names) {
    expect(text).toContain(`<a href="#sweep-${name}">`);
    expect(text).toContain(`id="sweep-${name}"`);
    expect(text).toContain(`id="figure-${name}-conditions-ood-mean"`);
  }
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
  expect(new Set(ids).size).toBe(ids.length);
});
