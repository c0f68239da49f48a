import { checksum } from "./format.js";

/**
 * What a power cut may leave: the system writes the pages of a file in an order of its own, so of everything that was
 * not yet synced, any part may be missing, also in front of parts that are there. A record says how many bytes of the
 * journal were on the disk when it was written (`synced`). Damage behind the highest of these numbers is the tail of a
 * power cut, and what stands in front of it is whole; damage before it cannot come from one.
 */
export interface LostTail {
  /** Where the first record starts that cannot be read. */
  readonly offset: number;
  /** Of it and everything behind it. */
  readonly bytes: number;
}

/**
 * @param rest the journal from the first line on that cannot be read, which starts at `offset`
 * @param synced what the records before it say; null where none says anything, as older versions wrote them
 * @returns null when the record had been on the disk, or nothing is known of that
 */
export function lostTail(rest: Buffer, offset: number, synced: number | null): LostTail | null {
  let known = synced ?? -1;
  for (const later of syncedIn(rest)) known = Math.max(known, later);
  if (known < 0 || known > offset) return null;
  return { offset, bytes: rest.length };
}

/** What the whole records of a damaged tail say. */
function* syncedIn(bytes: Buffer): Generator<number> {
  let start = 0;
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
    const [sum, json] = [bytes.toString("latin1", start, start + 8), bytes.toString("utf8", start + 9, end)];
    start = end + 1;
    if (sum !== checksum(json)) continue;
    const synced = /,"synced":(\d+)\}$/.exec(json)?.[1];
    if (synced !== undefined) yield Number(synced);
  }
}

/** For whoever reads on without it, and for who cuts it off. */
export function describeLostTail({ offset, bytes }: LostTail, numRecords: number): string {
  return `the journal ends in ${bytes} bytes that had not reached the disk when the machine stopped (from byte ${offset} on): it counts to record ${numRecords}`;
}
