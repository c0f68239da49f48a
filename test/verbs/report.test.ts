import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { historyRun } from "../support/history-run.js";

const CLI = resolve(import.meta.dirname, "../../dist/cli.js");
const report = (...args: string[]) =>
  execa(process.execPath, [CLI, "report", ...args], { reject: false, env: { NO_COLOR: "1", FORCE_COLOR: undefined } });

describe("thawline report", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "report-"));
  });

  it("writes a page and the files of its figures into the run's folder", async () => {
    const run = historyRun("vision-online", join(root, "run"));
    const { exitCode, stdout } = await report(run);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/run\/report\/report\.html, with \d+ figures beside it$/) as string,
    });
    const files = readdirSync(join(run, "report", "figures"));
    expect(files.filter((file) => file.startsWith("signal-fisher_trace."))).toEqual(
      [".csv", ".png", ".py", ".svg", ".vl.json"].map((ending) => `signal-fisher_trace${ending}`),
    );
    expect(readdirSync(join(run, "report")).sort()).toEqual(["figures", "report.html"]);
  });

  it("leaves a script alone that somebody has changed", async () => {
    const run = historyRun("vision-online", join(root, "run"));
    await report(run);
    const script = join(run, "report", "figures", "signal-fisher_trace.py");
    writeFileSync(script, readFileSync(script, "utf8").replace("figsize=(5.2, 3.2)", "figsize=(3, 2)"));
    const { stderr } = await report(run);
    expect(stderr).toMatch(/^note: `.*signal-fisher_trace\.py` was changed by hand and stays as it is$/m);
    expect(readFileSync(script, "utf8")).toContain("figsize=(3, 2)");
  });

  it("reports on several runs as conditions, and names those that it cannot read", async () => {
    historyRun("vision-online", join(root, "a"));
    historyRun("vision-fixed", join(root, "b"));
    mkdirSync(join(root, "c"));
    writeFileSync(join(root, "c", "journal"), "no journal\n");
    const { exitCode, stderr } = await report(root, "--no-figures");
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: `.*c` is left out: the journal is damaged at byte 0$/m);
    const page = readFileSync(join(root, "report", "report.html"), "utf8");
    expect(page).toContain("2 of 2 runs");
    expect(page).toContain("is left out: the journal is damaged at byte 0");
  });

  it("ends a run that asks for it", async () => {
    const run = join(root, "run");
    const settings = ["train.updates=6", "probe.points=8", "probe.every=2", "evaluate.ood=none"];
    const { exitCode, stdout } = await execa(
      process.execPath,
      [CLI, "run", "quickstart", ...settings, "--run-dir", run, "--report"],
      { reject: false },
    );
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/report\/report\.html, with \d+ figures beside it$/) as string,
    });
    expect(readFileSync(join(run, "report", "report.html"), "utf8")).toContain("<title>");
  });

  it("says what it does not understand of other rules, and leaves nothing", async () => {
    const run = historyRun("vision-online", join(root, "run"));
    const { exitCode, stderr } = await report(run, "--what-if", "tau=one");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("error: `--what-if` does not understand `tau=one`");
    expect(existsSync(join(run, "report"))).toBe(false);
  });

  it("refuses a folder without runs, and leaves nothing", async () => {
    const { exitCode, stderr } = await report(root);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: `error: there is no run in \`${root}\`\n\nhint: name the folder of a run, or one that holds run folders`,
    });
    expect(existsSync(join(root, "report"))).toBe(false);
  });
});
