import type { EventType } from "../core/events.js";
import { CORE_VERSION } from "../core/state.js";
import { UserError } from "../errors.js";
import { beginsWithChecksum, JOURNAL_FORMAT, type EventRecord, type JournalRecord } from "./format.js";

type Kind = "number" | "string" | "object" | "number or null" | "string or null";
type Shape = Readonly<Record<string, Kind>>;
type Fields = readonly (readonly [key: string, kind: Kind])[];

const WORKER: Shape = { attempt: "number", body: "object" };

/** What every configuration has. */
const CONFIG: Shape = {
  name: "string",
  seed: "number",
  probe: "object",
  intervention: "object",
  supervision: "object",
};

/** What every event holds at least; what is inside of objects shows when it is reduced (`reduceRecord`). */
const SHAPES: Readonly<Record<EventType, Shape>> = {
  "run/created": { format: "number", coreVersion: "number", run: "string", config: "object" },
  "controller/started": { term: "number", pid: "number", host: "string" },
  "controller/interrupted": { signal: "string" },
  "controller/failed": { message: "string" },
  "attempt/launched": { attempt: "number", pid: "number", startTime: "string" },
  "attempt/launchFailed": { attempt: "number", code: "string", message: "string", hint: "string" },
  "attempt/exited": { attempt: "number", exitCode: "number or null", signal: "string or null", tail: "string" },
  "attempt/timedOut": { attempt: "number", clock: "string", seconds: "number" },
  "attempt/violated": { attempt: "number", reason: "string" },
  "attempt/incompatible": { attempt: "number", theirs: "string", ours: "string" },
  "attempt/quiet": { attempt: "number", what: "string", seconds: "number" },
  "worker/connected": WORKER,
  "worker/remembered": WORKER,
  "worker/prepared": WORKER,
  "worker/applied": WORKER,
  "worker/reachedBoundary": WORKER,
  "worker/progressed": WORKER,
  "worker/evaluated": WORKER,
  "worker/checkpointed": WORKER,
  "worker/kept": WORKER,
  "worker/logged": WORKER,
  "worker/closed": WORKER,
  "operator/requested": { id: "string", who: "string", request: "object" },
};

/** `SHAPES` and `CONFIG` in a form that is quick to go through: every record is checked. */
const FIELDS = new Map<string, Fields>(Object.entries(SHAPES).map(([type, shape]) => [type, Object.entries(shape)]));
const CONFIG_FIELDS: Fields = Object.entries(CONFIG);

/**
 * @param line without its newline
 * @param offset where the line starts in the file, for the error
 * @throws UserError `damaged_journal` when the line is not what was written; `foreign_record`, `other_journal_format`,
 * `other_core_version` when this version cannot read it
 */
export function decodeLine(line: string, offset: number): JournalRecord {
  return parseRecord(jsonOf(line, offset), offset);
}

/**
 * Decodes the lines of one journal in their order, without parsing what was decided and ordered: half of a long journal.
 * The checksum is of all. What another core has decided cannot be had by reducing it again, and is parsed. What it returns
 * throws as `decodeLine` does, but for what is not parsed.
 */
export function eventDecoder(): (line: string, offset: number) => EventRecord {
  let decode: (line: string, offset: number) => EventRecord = decodeEvent;
  return (line, offset) => {
    const record = decode(line, offset);
    if (record.event.type === "run/created" && record.event.coreVersion !== CORE_VERSION) decode = decodeLine;
    return record;
  };
}

function decodeEvent(line: string, offset: number): EventRecord {
  const json = jsonOf(line, offset);
  const short = withoutOutcome(json);
  if (short !== null) {
    // A key of that name further inside has cut the record in two: no JSON, and it is read whole.
    const record = parsedOrNull(short);
    if (record !== null && faultOf(record) === null) return record as EventRecord;
  }
  return parseRecord(json, offset);
}

const CLOSING_BRACE = 125;
const CLOSING_BRACKET = 93;

/**
 * The JSON of a record without its decisions and commands; null where it has neither, as `encodeRecord` writes it. What
 * is looked for are keys: in a string no quote stands without a backslash before it.
 */
function withoutOutcome(json: string): string | null {
  const before = json.charCodeAt(json.length - 2);
  // The event stands last.
  if (before === CLOSING_BRACE) return null;
  const decisions = json.indexOf(',"decisions":[');
  const start = decisions === -1 ? json.indexOf(',"commands":[') : decisions;
  if (start === -1) return null;
  const synced = before === CLOSING_BRACKET ? -1 : json.lastIndexOf(',"synced":');
  return json.slice(0, start) + (synced > start ? json.slice(synced) : "}");
}

function parsedOrNull(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** What stands behind a line's checksum. */
function jsonOf(line: string, offset: number): string {
  const json = line.slice(9);
  if (line.charAt(8) !== " " || !beginsWithChecksum(line, json)) {
    throw new UserError({
      code: "damaged_journal",
      message: `the journal is damaged at byte ${offset}`,
      hint: "restore the file from a copy: everything after this byte is uncertain",
    });
  }
  return json;
}

/** The JSON of the line at `offset` as a record that this version can read. */
function parseRecord(json: string, offset: number): JournalRecord {
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch (error) {
    throw foreign(`the record at byte ${offset}`, error instanceof Error ? error.message : String(error), error);
  }
  const fault = faultOf(record);
  if (fault !== null) throw foreign(nameOf(record) ?? `the record at byte ${offset}`, fault);
  return record as JournalRecord;
}

/** Why a value is no record; null for one that is. */
function faultOf(record: unknown): string | null {
  if (!isObject(record) || !isObject(record["event"])) return "it holds no event";
  const { n, term, at, event, synced, decisions, commands } = record;
  if (n === 1) requireKnownVersions(event);
  if (!Number.isInteger(n) || !Number.isInteger(term)) return "`n` or `term` is no whole number";
  if (typeof at !== "string" || !isTime(at)) return "`at` is no time";
  if (synced !== undefined && !Number.isInteger(synced)) return "`synced` is no number of bytes";
  if (!isListOfObjects(decisions) || !isListOfObjects(commands))
    return "`decisions` or `commands` is no list of objects";
  const { type } = event;
  const fields = typeof type === "string" ? FIELDS.get(type) : undefined;
  if (fields === undefined) return "an event of that type is not known";
  const config = type === "run/created" ? faultIn(event["config"], CONFIG_FIELDS) : null;
  return faultIn(event, fields) ?? (config === null ? null : `in \`config\`, ${config}`);
}

function faultIn(object: unknown, fields: Fields): string | null {
  if (!isObject(object)) return null;
  for (const [key, kind] of fields) {
    if (!isOf(kind, object[key])) return `\`${key}\` is ${key in object ? `no ${kind}` : "missing"}`;
  }
  return null;
}

/** Asked before anything else: a later format may have other fields. */
function requireKnownVersions({ type, format, coreVersion }: Record<string, unknown>): void {
  if (type !== "run/created") return;
  if (typeof format === "number" && format !== JOURNAL_FORMAT) {
    throw new UserError({
      code: "other_journal_format",
      message: `the journal has format ${format}, this version reads ${JOURNAL_FORMAT}`,
      hint: "use the version of thawline that wrote it",
    });
  }
  if (typeof coreVersion === "number" && coreVersion > CORE_VERSION) {
    throw new UserError({
      code: "other_core_version",
      message: `the run was decided by core version ${coreVersion}, this is version ${CORE_VERSION}`,
      hint: `install the version of thawline with core version ${coreVersion} to look at this run`,
    });
  }
}

/** What `toISOString` writes of a year with four digits; anything else is asked of `Date`, which takes three times as long. */
const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

function isTime(at: string): boolean {
  return TIME.test(at) || !Number.isNaN(Date.parse(at));
}

/** Most records have neither decisions nor commands. */
function isListOfObjects(list: unknown): boolean {
  return list === undefined || (Array.isArray(list) && list.every(isObject));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOf(kind: Kind, value: unknown): boolean {
  if (kind === "object") return isObject(value);
  if (value === null) return kind === "number or null" || kind === "string or null";
  return typeof value === (kind === "number" || kind === "number or null" ? "number" : "string");
}

function nameOf(record: unknown): string | null {
  if (!isObject(record) || typeof record["n"] !== "number" || !isObject(record["event"])) return null;
  return `record ${record["n"]} (\`${String(record["event"]["type"])}\`)`;
}

/** A record that another version wrote, or another program: whole, and not to be understood here. */
function foreign(what: string, why: string, cause?: unknown): UserError {
  return new UserError({
    code: "foreign_record",
    message: `${what} of the journal is none that this version writes: ${why}`,
    hint: "use the version of thawline that wrote it",
    cause,
  });
}

/** What reducing or describing a record threw: the version that wrote it did both before it wrote. */
export function unreadable(record: EventRecord, error: unknown): UserError {
  if (error instanceof UserError) return error;
  return foreign(nameOf(record)!, error instanceof Error ? error.message : String(error), error);
}
