import type { Contents } from "../contents.js";
import type { PageFigures } from "./figure-html.js";
import type { Html } from "./html.js";
import { section } from "./section.js";
import { tableHtml } from "./table-html.js";

/** k under other rules; none where nobody asked. */
export function whatIfSection({ figures, tables }: Contents["whatIf"], pageFigures: PageFigures): Html {
  return section("What if", [...figures.map((one) => pageFigures.show(one)), ...tables.map(tableHtml)]);
}
