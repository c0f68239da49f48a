import { Resvg } from "@resvg/resvg-js";
import { FONT_FAMILY, fontFile } from "./font.js";

/** Pixels for each one of the SVG: sharp on a slide and in print. */
const SCALE = 3;

export function pngOf(svg: string): Uint8Array {
  const font = { fontFiles: [fontFile()], loadSystemFonts: false, defaultFontFamily: FONT_FAMILY };
  return new Resvg(svg, { font, fitTo: { mode: "zoom", value: SCALE }, background: "white" }).render().asPng();
}
