import { renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.js";
import { makeTemporaryFolder, temporaryPathLength } from "../temporary-folder.js";
import { reasonOf } from "../whole-file.js";

/** What the address of a Unix socket may take, with its closing zero: 104 bytes on macOS, 108 on Linux. */
const MOST_PATH_BYTES = 103;

/**
 * The socket of a controller as a file: in a folder that only its owner may enter (0700), so that no other user of the
 * machine reaches it at all. While its door is shut the file has another name, and nobody connects.
 */
export class SocketFolder {
  readonly endpoint: string;
  private readonly path: string;
  private isOpen = true;

  private constructor(private readonly folder: string) {
    this.path = join(folder, "socket");
    this.endpoint = `ipc://${this.path}`;
  }

  /**
   * Makes the folder under TMPDIR, or under /tmp where that path is too long for a socket.
   *
   * @throws UserError `no_socket_folder`
   */
  static make(parents: readonly string[] = [tmpdir(), "/tmp"]): SocketFolder {
    let why = "its path is too long for a socket";
    for (const parent of parents) {
      if (temporaryPathLength(parent, "socket.shut") > MOST_PATH_BYTES) continue;
      try {
        return new SocketFolder(makeTemporaryFolder(parent));
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
      }
    }
    throw new UserError({
      code: "no_socket_folder",
      message: `no folder for the controller's socket could be made in \`${parents.join("` or `")}\` (${why})`,
      hint: "set TMPDIR to a folder of this machine with a short path, in which you may write",
    });
  }

  /** @throws UserError `socket_removed` */
  openDoor(): void {
    if (this.isOpen) return;
    this.rename(`${this.path}.shut`, this.path);
    this.isOpen = true;
  }

  /** @throws UserError `socket_removed` */
  shutDoor(): void {
    if (!this.isOpen) return;
    this.rename(this.path, `${this.path}.shut`);
    this.isOpen = false;
  }

  private rename(from: string, to: string): void {
    try {
      renameSync(from, to);
    } catch (error) {
      throw new UserError({
        code: "socket_removed",
        message: `the controller's socket in \`${this.folder}\` was taken away (${reasonOf(error)})`,
        hint: "set TMPDIR to a folder that nobody cleans up; `npx thawline resume` goes on",
        cause: error,
      });
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
