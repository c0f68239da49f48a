import type { Dirent } from "node:fs";
import { mkdir, readdir, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { INBOX_FOLDER } from "./folder.js";
import { requestFileSchema, type RequestFile } from "./request-file.js";
import { codeOf, reasonOf } from "../whole-file.js";

/** A larger file is no request of ours. */
const MOST_BYTES = 4096;

/** Files looked into at once: a folder full of others' files must not keep a controller from its worker. */
const MOST_FILES = 256;

/** Sentences about one inbox; what is wrong with it after that many is known. */
const MOST_SENTENCES = 20;

export interface FoundRequest {
  readonly path: string;
  /** Null when the file holds no request. */
  readonly file: RequestFile | null;
}

/**
 * The folder through which operators speak to a run's controller. Whatever the file system does to it, the run goes
 * on: it is said once, and tried again at the next look.
 */
export class Inbox {
  private readonly folder: string;
  private readonly told = new Set<string>();
  /** Done with, but still there: it could not be removed. */
  private readonly stuck = new Set<string>();
  /** Could not be read at the last look: others come first. */
  private readonly unreadable = new Set<string>();

  constructor(
    runFolder: string,
    private readonly onNotice: (line: string) => void = () => undefined,
  ) {
    this.folder = join(runFolder, INBOX_FOLDER);
  }

  /**
   * The requests that wait, oldest first; file times are coarse, so names decide between equal ones, and
   * `writeRequestFile` gives names that rise. The caller removes each once it is journaled. Never rejects.
   */
  async look(): Promise<readonly FoundRequest[]> {
    const names = (await this.names()).slice(0, MOST_FILES);
    const aged = await Promise.all(names.map((name) => this.age(join(this.folder, name))));
    const found: FoundRequest[] = [];
    for (const { path, size } of aged.filter((one) => one !== null).sort(byAge)) {
      const file = await this.open(path, size);
      if (file !== null) found.push(file);
    }
    return found;
  }

  /** Takes a request off the pile; one that cannot be removed is overlooked from now on. Never rejects. */
  async remove(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      this.stuck.add(path);
      this.tell(path, `\`${path}\` was read and cannot be removed (${reasonOf(error)}): remove it yourself`);
    }
  }

  /** What may be a request, in the order of names, which is that of requests. */
  private async names(): Promise<string[]> {
    const entries = (await this.entries()).filter((entry) => !isUnfinished(entry));
    const mine = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".json"));
    const others = entries.length - mine.length;
    const line = `\`${this.folder}\` holds ${others} entries that are no requests: they are left alone`;
    if (others > 0) this.tell("others", line);
    const names = mine.map(({ name }) => name).sort();
    const open = names.filter((name) => !this.stuck.has(join(this.folder, name)));
    const last = new Set(open.filter((name) => this.unreadable.has(join(this.folder, name))));
    return [...open.filter((name) => !last.has(name)), ...last];
  }

  private async entries(): Promise<Dirent[]> {
    try {
      return await readdir(this.folder, { withFileTypes: true });
    } catch (error) {
      if (codeOf(error) === "ENOENT") await this.make();
      else this.tellUnreadable(error);
      return [];
    }
  }

  /** Makes the folder in its run folder, and never that: a run folder that has gone must stay so. */
  private async make(): Promise<void> {
    await mkdir(this.folder, { mode: 0o700 }).catch((error: unknown) => this.tellUnreadable(error));
  }

  private async age(path: string): Promise<{ path: string; modified: number; size: number } | null> {
    try {
      const { mtimeMs, size } = await stat(path);
      return { path, modified: mtimeMs, size };
    } catch (error) {
      return this.overlook(path, error);
    }
  }

  private async open(path: string, size: number): Promise<FoundRequest | null> {
    if (size > MOST_BYTES) return { path, file: null };
    try {
      const file = parse(await readFile(path, "utf8"));
      this.unreadable.delete(path);
      return { path, file };
    } catch (error) {
      return this.overlook(path, error);
    }
  }

  private overlook(path: string, error: unknown): null {
    // Whoever wrote it has taken it back.
    if (codeOf(error) === "ENOENT") return null;
    this.unreadable.add(path);
    this.tell(path, `\`${path}\` cannot be read (${reasonOf(error)}): it is overlooked until it can`);
    return null;
  }

  private tellUnreadable(error: unknown): void {
    this.tell(
      "folder",
      `\`${this.folder}\` cannot be read (${reasonOf(error)}): requests do not reach this run until it can`,
    );
  }

  private tell(what: string, line: string): void {
    if (this.told.has(what) || this.told.size >= MOST_SENTENCES) return;
    this.told.add(what);
    this.onNotice(line);
  }
}

/** Written aside, to be renamed: see `writeRequestFile`. */
function isUnfinished({ name }: Dirent): boolean {
  return name.startsWith(".");
}

interface Aged {
  readonly path: string;
  readonly modified: number;
}

function byAge(one: Aged, other: Aged): number {
  return one.modified - other.modified || (one.path < other.path ? -1 : 1);
}

function parse(text: string): RequestFile | null {
  try {
    return requestFileSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
