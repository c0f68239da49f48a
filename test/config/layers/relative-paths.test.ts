import { homedir } from "node:os";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFolderName } from "../../../src/config/layers/folder-name.js";
import { withAbsolutePaths } from "../../../src/config/layers/relative-paths.js";

const absolute = (settings: Parameters<typeof withAbsolutePaths>[0]) => withAbsolutePaths(settings, "/home/me");

describe("isFolderName", () => {
  it("tells a folder from a model on the Hub", () => {
    for (const name of ["./a", "../a", "~/a", "/a", "./a/b"]) expect(isFolderName(name)).toBe(true);
    for (const name of ["a", "a/b", ".a/b", "~a/b", ""]) expect(isFolderName(name)).toBe(false);
  });
});

describe("withAbsolutePaths", () => {
  it("makes paths of data, encoder and test sets absolute, and no others", () => {
    const hub = { hub: "a/b", split: "test" };
    const settings = {
      name: "mine",
      model: { kind: "encoder", pretrained: "./encoder", revision: null },
      data: {
        kind: "question_answering",
        train: "squad",
        development: hub,
        tests: [
          { name: "xquad", source: "../xquad/xquad.{language}.json" },
          { name: "mlqa", source: hub },
        ],
      },
    };
    expect(absolute(settings)).toEqual({
      ...settings,
      model: { ...settings.model, pretrained: "/home/me/encoder" },
      data: {
        ...settings.data,
        train: "/home/me/squad",
        tests: [
          { name: "xquad", source: "/home/xquad/xquad.{language}.json" },
          { name: "mlqa", source: hub },
        ],
      },
    });
  });

  it("leaves a model of the Hub and the data that come along", () => {
    const settings = { model: { pretrained: "FacebookAI/xlm-roberta-base" }, data: { path: "bundled" } };
    expect(absolute(settings)).toEqual(settings);
  });

  it("knows a home folder", () => {
    expect(absolute({ model: { pretrained: "~/encoder" }, data: { path: "~/xquad" } })).toEqual({
      model: { pretrained: `${homedir()}/encoder` },
      data: { path: `${homedir()}/xquad` },
    });
  });

  it("looks for a model of the user's own where its import path was written", () => {
    expect(absolute({ model: { kind: "own:build" } })).toEqual({ model: { kind: "own:build", folder: "/home/me" } });
    expect(absolute({ model: { kind: "resnet18" } })).toEqual({ model: { kind: "resnet18" } });
  });

  it("leaves what is no path to those who say what is wrong with it", () => {
    for (const settings of [{ data: { path: 3 } }, { data: "x" }, { data: { tests: ["x", { source: "" }] } }, {}]) {
      expect(absolute(settings)).toEqual(settings);
    }
  });

  it("changes nothing a second time, from wherever", () => {
    // `a` may be a model on the Hub, here and there.
    const path = fc.constantFrom("./a", "a", "../a/b", "~/a", "/a/./b");
    fc.assert(
      fc.property(path, path, path, (pretrained, train, source) => {
        const once = absolute({ model: { pretrained }, data: { train, tests: [{ name: "xquad", source }] } });
        expect(withAbsolutePaths(once, "/elsewhere")).toEqual(once);
      }),
    );
  });
});
