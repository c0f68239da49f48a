import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system of its own, which can be filled. */
export interface TinyDisk {
  readonly folder: string;
  /** Takes all room but `bytes`, rounded down to blocks. */
  readonly fillUpTo: (bytes: number) => void;
  readonly makeRoom: () => void;
  readonly remove: () => void;
}

/** One of `kibibytes`; null where mounting is not permitted, as to anybody but root. */
export function mountTinyDisk(kibibytes: number): TinyDisk | null {
  const folder = mkdtempSync(join(tmpdir(), "thawline-tiny-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmdirSync(folder);
    return null;
  }
  const ballast = join(folder, "ballast");
  const makeRoom = (): void => rmSync(ballast, { force: true });
  return {
    folder,
    makeRoom,
    fillUpTo: (bytes) => {
      makeRoom();
      const { bavail, bsize } = statfsSync(folder);
      const blocks = bavail - Math.floor(bytes / bsize);
      writeFileSync(ballast, Buffer.alloc(Math.max(0, blocks * bsize)));
    },
    remove: () => {
      execFileSync("umount", ["--lazy", folder]);
      rmdirSync(folder);
    },
  };
}
