import { open } from "node:fs/promises";

/** The last lines of a file that other processes append to, for an error message; empty where there is none. */
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
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  } finally {
    await file.close();
  }
}
