import { describe, expect, it, vi } from "vitest";
import { captureFrame } from "../../../scripts/pictures/capture.js";
import { frameToSvg } from "../../../scripts/pictures/svg.js";
import { MOMENTS } from "../../support/moments.js";

vi.hoisted(() => {
  process.env["FORCE_COLOR"] = "1";
});

const SIZE = { columns: 20, rows: 2 };

describe("frameToSvg", () => {
  it("writes text with its colour, escaped", () => {
    const svg = frameToSvg("\u001b[1m\u001b[31ma < b & c\u001b[39m\u001b[22m d", SIZE);
    expect(svg).toContain(' font-weight="bold" fill="#e06c75">a &lt; b &amp; c</text>');
    expect(svg).toContain('fill="#d6d9e0">d</text>');
  });

  it("draws a dot for each dot of braille, and no text", () => {
    const svg = frameToSvg("⣿⠁", SIZE);
    expect(svg.match(/<circle/g)).toHaveLength(9);
    expect(svg).not.toContain("<text");
  });

  it("draws the live view without a glyph that depends on a font", () => {
    const options = { columns: 120, rows: 40, color: true, unicode: true, runFolder: "runs/a" };
    const svg = frameToSvg(captureFrame(MOMENTS["unfreezing"]!().records, options), { columns: 120, rows: 39 });
    expect(svg).toContain("UNFREEZING");
    expect(svg).not.toContain("\u001b");
    expect(svg).toMatch(/^[ -~±✓·…\n]*$/);
  });
});
