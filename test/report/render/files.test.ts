import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { reportFiles } from "../../vectors/report/cases.js";

const FOLDER = resolve(import.meta.dirname, "../../vectors/report");

describe("files of a report's tables", () => {
  const files = reportFiles();

  it.each(Object.keys(files))("%s is as committed", async (name) => {
    await expect(files[name]).toMatchFileSnapshot(join(FOLDER, name));
  });

  it("are all there are", () => {
    expect(
      readdirSync(FOLDER)
        .filter((name) => name !== "cases.ts")
        .sort(),
    ).toEqual(Object.keys(files).sort());
  });
});
