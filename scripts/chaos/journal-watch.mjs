// How far a run is, from what its journal has gained.
import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

const UPDATE = /"type":"worker\/(?:reachedBoundary|progressed|applied|checkpointed)".*?"(?:update|step)":(\d+)/g;

/** Follows a journal from where it ends now. */
export class JournalWatch {
  #path;
  /** How many bytes of it were read. */
  position = 0;
  #rest = "";
  /** The last update that was reported since this watch began; 0 before the first. */
  update = 0;

  constructor(runFolder) {
    this.#path = join(runFolder, "journal");
    this.#read();
    this.update = 0;
  }

  /** Reads what is new. Returns the last update reported. */
  look() {
    const text = this.#rest + this.#read();
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    for (const [, update] of text.slice(0, end).matchAll(UPDATE)) this.update = Number(update);
    return this.update;
  }

  #read() {
    let file;
    try {
      file = openSync(this.#path, "r");
    } catch (error) {
      if (error.code === "ENOENT") return "";
      throw error;
    }
    try {
      const buffer = Buffer.alloc(1 << 16);
      let text = "";
      for (let length; (length = readSync(file, buffer, 0, buffer.length, this.position)) > 0;) {
        this.position += length;
        text += buffer.toString("latin1", 0, length);
      }
      return text;
    } finally {
      closeSync(file);
    }
  }
}
