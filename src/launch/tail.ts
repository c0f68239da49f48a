import { open } from "node:fs/promises";

/** The last lines of a file that other processes append to, for an error message; empty where it cannot be read. */
export async function tailOf(path: string, lines: number, bytes: number): Promise<string> {
  let file;
  try {
    file = await open(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    // A cut in the middle of a character leaves a replacement mark at the front.
    const text = buffer
      .subarray(0, bytesRead)
      .toString("utf8")
      .replace(/^\ufffd+/, "");
    return text.trimEnd().split("\n").slice(-lines).map(lastDrawn).join("\n");
  } catch {
    return "";
  } finally {
    await file.close();
  }
}

/** Of a line that was drawn again and again, as progress bars are: what stood there at last. */
function lastDrawn(line: string): string {
  return line.trimEnd().split("\r").at(-1)!;
}
