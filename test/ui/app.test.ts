import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { encodeRecord } from "../../src/journal/format.js";
import { runView, type ViewExit, type ViewOptions } from "../../src/ui/app.js";
import { canShowView, colorEnabled, unicodeEnabled } from "../../src/ui/terminal.js";
import { simulateRun, type RecordedRun } from "../support/journal-builder.js";
import { MOMENTS } from "../support/moments.js";

const ENTER = "\u001b[?1049h";
const LEAVE = "\u001b[?1049l\u001b[?25h";

/** A terminal of our own: what is written is kept, what is typed is read. */
function createTerminal() {
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let written = "";
  let writes = 0;
  stdout.on("data", (bytes: Buffer) => {
    written += bytes.toString();
    writes += 1;
  });
  return {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    type: (keys: string) => stdin.write(keys),
    written: () => written,
    writes: () => writes,
    shows: async (text: string): Promise<void> => {
      while (!written.includes(text)) await sleep(20);
    },
    /** Until no frame has come for longer than a frame may be held back. */
    settled: async (): Promise<void> => {
      for (let last = -1; last !== writes;) {
        last = writes;
        await sleep(500);
      }
    },
  };
}

/** How often the headline was drawn: it is on every frame. */
function framesIn(written: string): number {
  return written.split("FINISHED").length - 1;
}

function createRunFolder({ records }: RecordedRun): string {
  const folder = mkdtempSync(join(tmpdir(), "thawline-view-"));
  writeFileSync(join(folder, "journal"), records.map(encodeRecord).join(""));
  return folder;
}

function open(folder: string, options: Partial<ViewOptions> = {}) {
  const terminal = createTerminal();
  const { stdin, stdout } = terminal;
  const env = { LANG: "C.UTF-8", USER: "wolf", NO_COLOR: "1" };
  const exit: Promise<ViewExit> = runView({ runFolders: [folder], stdin, stdout, env, interrupt: "leave", ...options });
  return { ...terminal, exit };
}

describe("runView", () => {
  it("draws on a screen of its own and closes when its run has ended", async () => {
    const { exit, written } = open(createRunFolder(simulateRun()), { interrupt: "stop" });
    const { why, state } = await exit;
    expect([why, state?.end?.outcome]).toEqual(["ended", "finished"]);
    expect(written().indexOf(ENTER)).toBe(0);
    expect(written().endsWith(LEAVE)).toBe(true);
  });

  it("stays with a finished run until q, then says how to return", async () => {
    const folder = createRunFolder(simulateRun());
    const { exit, written, shows, type } = open(folder);
    await shows("FINISHED");
    type("q");
    expect((await exit).why).toBe("detached");
    expect(written().slice(written().lastIndexOf(LEAVE) + LEAVE.length)).toBe(
      `the view is closed, the run is left alone; return with\n  npx thawline watch ${folder}\n`,
    );
  });

  it("leaves a request for the controller, in the name of the person", async () => {
    const folder = createRunFolder(MOMENTS["waiting"]!());
    const { exit, shows, type } = open(folder);
    await shows("WAITING FOR k");
    type("c");
    await shows("checkpoint: ordered");
    const [file] = readdirSync(join(folder, "inbox")).filter((name) => name.endsWith(".json"));
    const request = JSON.parse(readFileSync(join(folder, "inbox", file!), "utf8")) as object;
    expect(request).toMatchObject({ term: 1, who: "wolf", request: { verb: "checkpoint" } });
    type("q");
    await exit;
  });

  it("closes once its controller is gone, though the journal has no end", async () => {
    const { exit } = open(createRunFolder(MOMENTS["waiting"]!()), { interrupt: "stop", gone: Promise.resolve() });
    const { why, state } = await exit;
    expect([why, state?.end]).toEqual(["ended", null]);
  });

  it("writes nothing while nothing changes, and one frame for a key that changes something", async () => {
    const folder = createRunFolder(simulateRun());
    const { exit, written, shows, settled, type, writes } = open(folder);
    await shows("FINISHED");
    await settled();
    const before = writes();
    // Several ticks of the view's clock and looks at the journal, on timers of this very process.
    await sleep(3000);
    expect(writes()).toBe(before);
    const length = written().length;
    type("z");
    await settled();
    expect(writes()).toBe(before);
    type("p");
    while (!written().slice(length).includes("the run has ended")) await sleep(20);
    await settled();
    expect(framesIn(written().slice(length))).toBe(1);
    type("q");
    await exit;
  });

  it("gives the terminal back when the journal is damaged", async () => {
    const folder = createRunFolder(MOMENTS["waiting"]!());
    writeFileSync(join(folder, "journal"), "not a journal\n");
    const { exit, written } = open(folder);
    await expect(exit).rejects.toMatchObject({ code: "damaged_journal" });
    expect(written().endsWith(LEAVE)).toBe(true);
  });
});

describe("terminal", () => {
  it("shows a view only where there are keys and a screen", () => {
    const [terminal, pipe] = [{ isTTY: true }, {}];
    expect(canShowView(terminal, terminal, { TERM: "xterm" })).toBe(true);
    expect(canShowView(terminal, pipe, { TERM: "xterm" })).toBe(false);
    expect(canShowView(pipe, terminal, { TERM: "xterm" })).toBe(false);
    expect(canShowView(terminal, terminal, { TERM: "dumb" })).toBe(false);
    expect(canShowView(terminal, terminal, { CI: "true" })).toBe(false);
  });

  it("lets FORCE_COLOR win over NO_COLOR, and both over the terminal", () => {
    expect(colorEnabled({}, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(true);
    expect(colorEnabled({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(colorEnabled({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
    expect(colorEnabled({}, {})).toBe(false);
  });

  it("draws braille only in a UTF-8 locale", () => {
    expect(unicodeEnabled({ LANG: "en_US.UTF-8" })).toBe(true);
    expect(unicodeEnabled({ LANG: "en_US.UTF-8", LC_ALL: "C" })).toBe(false);
    expect(unicodeEnabled({ LANG: "C.utf8", TERM: "linux" })).toBe(false);
    expect(unicodeEnabled({})).toBe(false);
  });
});
