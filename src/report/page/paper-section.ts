import type { PaperFigure } from "../paper/paper-figures.js";
import type { PageFigures } from "./figure-html.js";
import { markup, NOTHING, table, type Html } from "./html.js";
import { section } from "./section.js";

/** The counterparts of the paper's figures, and for those that are not there what makes them. */
export function paperSection(paper: readonly PaperFigure[], pageFigures: PageFigures): Html {
  const drawn = paper.flatMap(({ figures }) => figures.map((one) => pageFigures.show(one)));
  return section("Figures of the paper", [...drawn, lacking(paper.filter(({ lacks }) => lacks.length > 0))]);
}

function lacking(paper: readonly PaperFigure[]): Html {
  if (paper.length === 0) return NOTHING;
  const rows = paper.map(({ number, title, lacks, command }) => [
    markup`Figure ${number}: ${title}`,
    lacks.map((one) => markup`<div>${one}</div>`),
    markup`<code>${command}</code>`,
  ]);
  const columns = [{ title: "figure" }, { title: "what these runs lack for it" }, { title: "what makes them" }];
  return markup`<details><summary>What is missing of the others</summary>${table(columns, rows)}</details>`;
}
