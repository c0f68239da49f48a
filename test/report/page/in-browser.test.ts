import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { reportOn } from "../../../src/report/report-on.js";
import { findChromium, OpenPage } from "../../support/chromium.js";
import { historyRun } from "../../support/history-run.js";

const browser = findChromium();
if (browser === null) process.stderr.write("no Chromium: pages are not opened in a browser\n");

describe.skipIf(browser === null)("a page in a browser", () => {
  let page: OpenPage;
  let url: string;

  beforeAll(async () => {
    const out = mkdtempSync(join(tmpdir(), "report-"));
    await reportOn([historyRun("vision-online")], out, { draws: false, watches: false, tell: () => undefined });
    url = pathToFileURL(join(out, "report.html")).href;
    page = await OpenPage.open(browser!, url, mkdtempSync(join(tmpdir(), "profile-")));
  });
  afterAll(async () => page.close());

  const figure = `document.querySelector('figure[data-figure="signal-fisher_trace"]')`;

  it("asks for nothing but itself, and has nothing to complain of", () => {
    expect(page.requests).toEqual([url]);
    expect(page.said).toEqual([]);
  });

  it("is styled and drawn by what its policy allows", async () => {
    expect(await page.evaluate("getComputedStyle(document.querySelector('.cards')).display")).toBe("grid");
    expect(await page.evaluate("document.getElementById('theme').hidden")).toBe(false);
  });

  it("marks where k was decided", async () => {
    const labels = await page.evaluate(`[...${figure}.querySelectorAll('.rule-label')].map((l) => l.textContent)`);
    expect(labels).toContainEqual(expect.stringMatching(/^k (online|=)/));
  });

  it("draws the axis anew when it becomes logarithmic", async () => {
    const ticks = `[...${figure}.querySelectorAll('.tick')].map((t) => t.textContent).join()`;
    const before = await page.evaluate(ticks);
    await page.evaluate(`${figure}.querySelector('input[name="logY"]').click()`);
    expect(await page.evaluate(ticks)).not.toBe(before);
    await page.evaluate(`${figure}.querySelector('input[name="logY"]').click()`);
    expect(await page.evaluate(ticks)).toBe(before);
  });

  it("reads values out by the arrow keys", async () => {
    await page.evaluate(
      `${figure}.querySelector('.canvas').dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }))`,
    );
    expect(await page.evaluate(`${figure}.querySelector('.tip').textContent`)).toMatch(/^update 1.*tr\(F\): 0\.0/);
  });

  it("turns dark and light", async () => {
    const paper = "getComputedStyle(document.body).backgroundColor";
    const before = await page.evaluate(paper);
    await page.evaluate("document.getElementById('theme').click()");
    expect(await page.evaluate(paper)).not.toBe(before);
    await page.evaluate("document.getElementById('theme').click()");
    expect(await page.evaluate(paper)).toBe(before);
  });

  it("keeps what was chosen when it is opened again, as a page that follows runs is", async () => {
    await page.evaluate(`${figure}.querySelector('input[name="logY"]').click()`);
    await page.evaluate("document.getElementById('theme').click()");
    const chosen = `[${figure}.querySelector('input[name="logY"]').checked, document.documentElement.dataset.theme]`;
    const before = await page.evaluate(chosen);
    await page.reload();
    expect(before).toEqual([true, expect.any(String)]);
    expect(await page.evaluate(chosen)).toEqual(before);
  });

  it("has neither asked nor complained after all of that", () => {
    expect(page.requests).toEqual([url, url]);
    expect(page.said).toEqual([]);
  });
});
