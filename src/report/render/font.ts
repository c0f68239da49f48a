import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** The font of all pictures: without one of its own, a picture would have no text where the machine has no fonts. */
export const FONT_FAMILY = "DejaVu Sans";

let path: string | null = null;

export function fontFile(): string {
  path ??= createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
  return path;
}

/** Widths of characters in units of the font, of which `unitsPerEm` make the size of the text. */
export interface FontWidths {
  readonly unitsPerEm: number;
  readonly widthOf: (codePoint: number) => number;
}

let widths: FontWidths | null = null;

/** Width in pixels of one line of text at `size` pixels, without kerning, which the renderers of pictures leave out too. */
export function textWidth(text: string, size: number): number {
  widths ??= readWidths(readFileSync(fontFile()));
  let units = 0;
  for (const character of text) units += widths.widthOf(character.codePointAt(0)!);
  return (units * size) / widths.unitsPerEm;
}

/** The advance widths of a TrueType font: its tables `head`, `hhea`, `hmtx` and `cmap` (formats 4 and 12). */
export function readWidths(bytes: Buffer): FontWidths {
  const table = tablesOf(bytes);
  const numMetrics = bytes.readUInt16BE(table("hhea") + 34);
  const metrics = table("hmtx");
  const glyphOf = readCharacterMap(bytes, table("cmap"));
  const known = new Map<number, number>();
  const widthOf = (codePoint: number): number => {
    const width =
      known.get(codePoint) ?? bytes.readUInt16BE(metrics + 4 * Math.min(glyphOf(codePoint), numMetrics - 1));
    known.set(codePoint, width);
    return width;
  };
  return { unitsPerEm: bytes.readUInt16BE(table("head") + 18), widthOf };
}

function tablesOf(bytes: Buffer): (tag: string) => number {
  const offsets = new Map<string, number>();
  for (let entry = 12; entry < 12 + 16 * bytes.readUInt16BE(4); entry += 16) {
    offsets.set(bytes.toString("latin1", entry, entry + 4), bytes.readUInt32BE(entry + 8));
  }
  return (tag) => {
    const offset = offsets.get(tag);
    if (offset === undefined) throw new Error(`the font has no table ${tag}`);
    return offset;
  };
}

/** The best of the font's maps from characters to glyphs; glyph 0 is the one for what is missing. */
function readCharacterMap(bytes: Buffer, cmap: number): (codePoint: number) => number {
  const maps = new Map<number, number>();
  for (let index = 0; index < bytes.readUInt16BE(cmap + 2); index += 1) {
    const offset = cmap + bytes.readUInt32BE(cmap + 8 + 8 * index);
    maps.set(bytes.readUInt16BE(offset), offset);
  }
  const [long, short] = [maps.get(12), maps.get(4)];
  if (long !== undefined) return (codePoint) => glyphInGroups(bytes, long, codePoint);
  if (short === undefined) throw new Error("the font has no map of characters that is understood");
  return (codePoint) => glyphInSegments(bytes, short, codePoint);
}

function glyphInGroups(bytes: Buffer, map: number, codePoint: number): number {
  for (let group = 0; group < bytes.readUInt32BE(map + 12); group += 1) {
    const at = map + 16 + 12 * group;
    const first = bytes.readUInt32BE(at);
    if (codePoint >= first && codePoint <= bytes.readUInt32BE(at + 4))
      return bytes.readUInt32BE(at + 8) + codePoint - first;
  }
  return 0;
}

function glyphInSegments(bytes: Buffer, map: number, codePoint: number): number {
  const size = bytes.readUInt16BE(map + 6);
  const [ends, starts] = [map + 14, map + 16 + size];
  for (let at = 0; at < size; at += 2) {
    if (codePoint > bytes.readUInt16BE(ends + at)) continue;
    const first = bytes.readUInt16BE(starts + at);
    if (codePoint < first) return 0;
    const delta = bytes.readUInt16BE(starts + size + at);
    const rangeAt = starts + 2 * size + at;
    const range = bytes.readUInt16BE(rangeAt);
    if (range === 0) return (codePoint + delta) & 0xffff;
    const glyph = bytes.readUInt16BE(rangeAt + range + 2 * (codePoint - first));
    return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
  }
  return 0;
}
