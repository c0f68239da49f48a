import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { decodeLine } from "../../src/journal/decode.js";
import { encodeRecord } from "../../src/journal/format.js";
import { HOSTILE, HOSTILE_NAME, obeyedIn, SHOWN, withHostileTexts } from "../support/hostile-text.js";
import { CommandLine, SETTINGS } from "./command-line.js";

let commandLine: CommandLine;
const printer = () => join(commandLine.folder, "printing-python");

/** A file's name has no slash and no NUL, and at most 255 bytes. */
const NAME = `evil${HOSTILE_NAME.replaceAll("/", "")}`;

beforeAll(async () => {
  commandLine = await CommandLine.open();
  const { folder } = commandLine;
  writeFileSync(join(folder, "tail.txt"), `${HOSTILE}\nRuntimeError: ${HOSTILE}\n`);
  commandLine.writePython("printing-python", `cat "${join(folder, "tail.txt")}" >&2; exit 3`);
  cpSync(join(folder, "finished"), join(folder, "runs", NAME), { recursive: true });
  writeHostileRun("runs/told");
  writeHostileRun("runs/cut-off", 8);
  writeFileSync(join(folder, "key.yaml"), JSON.stringify({ [`evil${HOSTILE}`]: 1, train: { [HOSTILE]: HOSTILE } }));
  const shown = await commandLine.start(["config", "show", "quickstart", "--json"]);
  const config = JSON.parse(shown.stdout) as { data: object };
  writeFileSync(join(folder, "value.yaml"), JSON.stringify({ ...config, data: { ...config.data, path: HOSTILE } }));
  writeFileSync(join(folder, "kind.yaml"), JSON.stringify({ model: { kind: HOSTILE } }));
  writeFileSync(join(folder, `${NAME}.yaml`), "train: [");
  mkdirSync(join(folder, "empty", `x${NAME}`), { recursive: true });
});

afterAll(() => commandLine.close());

/** The finished run as a journal full of hostile texts, to its `end`th record. */
function writeHostileRun(path: string, end?: number, change = (line: string): string => line): void {
  const { folder } = commandLine;
  const lines = readFileSync(join(folder, "finished", "journal"), "utf8")
    .trimEnd()
    .split("\n");
  const records = withHostileTexts(lines.slice(0, end).map((line) => decodeLine(line, 0)));
  mkdirSync(join(folder, path), { recursive: true });
  const changed = records.map((record) => JSON.parse(change(JSON.stringify(record))) as typeof record);
  writeFileSync(join(folder, path, "journal"), changed.map(encodeRecord).join(""));
}

/** Every command that writes, with a hostile text in what it writes about. */
const COMMANDS: Readonly<Record<string, () => readonly string[]>> = {
  "run --plain, of a worker that died": () => [
    "run",
    "quickstart",
    ...SETTINGS,
    "supervision.max_restarts=0",
    "--plain",
  ],
  "run --json, of a worker that died": () => ["run", "quickstart", ...SETTINGS, "supervision.max_restarts=0", "--json"],
  "run, into a hostile folder": () => ["run", "quickstart", "--run-dir", "empty"],
  "run, of a hostile setting": () => ["run", "quickstart", `${NAME}=1`],
  "run, of a hostile value": () => ["run", "quickstart", `train.updates=${NAME}`],
  "run, of a hostile file": () => ["run", `${NAME}.yaml`],
  "run, of a file that is missing": () => ["run", `x${NAME}.yaml`],
  "run, of a hostile option": () => ["run", "quickstart", `--${NAME}`],
  "run, of hostile data": () => ["run", "quickstart", `data.path="${NAME.replaceAll('"', "")}"`],
  "a hostile command": () => [NAME],
  "attach, of a script that died": () => [
    "attach",
    "--plain",
    "--",
    "sh",
    "-c",
    `cat tail.txt >&2; exit 3`,
    HOSTILE_NAME,
  ],
  "attach --json": () => ["attach", "--json", "--", "sh", "-c", `cat tail.txt >&2; exit 3`, HOSTILE_NAME],
  "attach, of a missing script": () => ["attach", "--", `./${NAME}`],
  "resume, finished": () => ["resume", join("runs", NAME)],
  "resume, without a journal": () => ["resume", join("empty", `x${NAME}`)],
  "resume, of a hostile journal": () => ["resume", "runs/cut-off", "--as-copy", "--plain"],
  "watch --plain": () => ["watch", "runs/told", "--plain"],
  "watch --json": () => ["watch", "runs/told", "--json"],
  control: () => ["control", join("runs", NAME), "stop"],
  "control, of a hostile request": () => ["control", "finished", NAME],
  replay: () => ["replay", "runs/told"],
  "replay --what-if": () => ["replay", "finished", "--what-if", NAME],
  list: () => ["list"],
  "list --json": () => ["list", "--json"],
  "list, of a missing folder": () => ["list", NAME],
  "config show, of a hostile key": () => ["config", "show", "key.yaml"],
  "config show, of a hostile value": () => ["config", "show", "value.yaml"],
  "config show --json": () => ["config", "show", "value.yaml", "--json"],
  "config show, of a hostile model": () => ["config", "show", "kind.yaml"],
  doctor: () => ["doctor"],
  "doctor --json": () => ["doctor", "--json"],
  presets: () => ["presets"],
  prefetch: () => ["prefetch", "value.yaml"],
};

/** These have nothing from outside to say, or cannot show it. */
const WITHOUT = new Set(["presets", "run, into a hostile folder"]);
/** Those that paint what they write. */
const PAINTED = new Set([
  "run --plain, of a worker that died",
  "run, of a hostile setting",
  "attach, of a missing script",
  "doctor",
]);

describe.each([
  ["without colour", { NO_COLOR: "1" }, Object.keys(COMMANDS)],
  ["with colour", { FORCE_COLOR: "1" }, [...PAINTED]],
])("%s, a terminal gets nothing to obey from", (_, env, names) => {
  it.each(names)("%s", async (name) => {
    const python = name.startsWith("doctor") ? NAME : printer();
    const { stdout, stderr } = await commandLine.start(COMMANDS[name]!(), python, env);
    const text = `${stdout}\n${stderr}`;
    expect(obeyedIn("FORCE_COLOR" in env ? withoutOurStyles(text) : text)).toEqual([]);
    if (!WITHOUT.has(name)) expect(text).toContain(SHOWN);
  });
});

/** Only what `styleText` writes: any other sequence stays, and is found. */
function withoutOurStyles(text: string): string {
  // eslint-disable-next-line no-control-regex -- it is what this is about
  return text.replaceAll(/\u001b\[(?:1|22|31|32|33|36|39)m/g, (style) => stripVTControlCharacters(style));
}

it("shows a configuration that reads back as the same values", async () => {
  const { stdout: yaml } = await commandLine.start(["config", "show", "value.yaml"]);
  const { stdout: json } = await commandLine.start(["config", "show", "value.yaml", "--json"]);
  const value = (parse(yaml) as { data: { path: string } }).data.path;
  expect(value).toBe((JSON.parse(json) as { data: { path: string } }).data.path);
  expect(value.endsWith(HOSTILE)).toBe(true);
});
