import { statSync } from "node:fs";

/** Where a folder is, so that a copy of it is not taken for it. */
export interface FolderPlace {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** Null where there is no such folder. */
export function placeOf(path: string): FolderPlace | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : { path, device: stat.dev, inode: stat.ino };
}

/** Devices are numbered anew by a reboot, and by each machine of a network: there the path has to tell. */
export function isSamePlace(a: FolderPlace, b: FolderPlace): boolean {
  return a.inode === b.inode && (a.device === b.device || a.path === b.path);
}
