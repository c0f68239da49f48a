import { groupsOf, type Figure, type LineFigure } from "../figures/figure.js";
import { FIGURE_ENDINGS } from "../render/figure-endings.js";
import { loadChart } from "./assets.js";
import { compactFigure, type CompactFigure } from "./compact-figure.js";
import { markup, Html, NOTHING } from "./html.js";

/** Width of the drawing that the page comes with, for print and where no script runs. */
const DRAWN_WIDTH = 860;
const SMOOTHINGS = [3, 5, 10, 25];

/** Figures of a page, and what its script draws them from. */
export class PageFigures {
  readonly data: Record<string, CompactFigure> = {};

  private constructor(private readonly chart: Awaited<ReturnType<typeof loadChart>>) {}

  static async load(): Promise<PageFigures> {
    return new PageFigures(await loadChart());
  }

  /** A figure with its caption, its legend and what a reader can choose. */
  show(figure: Figure): Html {
    const compact = compactFigure(figure);
    this.data[figure.id] = compact;
    const { svg } = this.chart.drawFigure(compact, { width: DRAWN_WIDTH });
    const caption = figure.caption.length === 0 ? "" : `: ${figure.caption.join("; ")}.`;
    return markup`<figure data-figure="${figure.id}" id="figure-${figure.id}">
      <figcaption><b>${figure.title}</b>${caption}</figcaption>
      <div class="controls" hidden>${controlsOf(figure)}</div>
      <div
        class="canvas"
        tabindex="0"
        aria-label="${figure.title}${figure.kind === "lines" ? ": arrow keys read values" : ""}"
      >
        ${new Html(svg)}
      </div>
      <div class="tip" role="status" hidden></div>
      ${this.legendOf(figure)}
    </figure> `;
  }

  private legendOf(figure: Figure): Html {
    if (figure.kind === "timeline")
      return spanLegend(figure.rows.flatMap(({ spans }) => spans.map(({ state }) => state)));
    const groups = groupsOf(figure);
    if (groups.length < 2) return NOTHING;
    const items = groups.map((group, index) => {
      const { color, dash, shape } = this.chart.styleOf(index);
      const mark = !isLine(figure, group)
        ? new Html(this.chart.symbol(shape, 15, 6, 4.5, `dot ${color}`))
        : markup`<path class="line ${color}" stroke-dasharray="${dash}" d="M0 6H30" />`;
      return markup`<li>
        <button type="button" data-group="${group}" aria-pressed="true" disabled>
          <svg viewBox="0 0 30 12" aria-hidden="true">${mark}</svg>${group}
        </button>
      </li>`;
    });
    return markup`<ul class="legend">
      ${items}
    </ul>`;
  }
}

/** Whether something of a group is drawn as a line, by which it is known then. */
function isLine(figure: Exclude<Figure, { kind: "timeline" }>, of: string): boolean {
  return figure.kind === "lines" && figure.series.some(({ group, draws }) => group === of && draws !== "points");
}

function spanLegend(states: readonly string[]): Html {
  const items = ["frozen", "warming up", "training"]
    .filter((state) => states.includes(state))
    .map((state) => {
      return markup`<li>
        <svg viewBox="0 0 30 12" width="30" height="12" aria-hidden="true">
          <path class="span ${state.replace(" ", "-")}" d="M0 0H30V12H0Z" />
        </svg>
        ${state}
      </li>`;
    });
  return markup`<ul class="legend">
    ${items}
  </ul>`;
}

function controlsOf(figure: Figure): Html {
  if (figure.kind === "timeline" || (figure.kind === "categories" && figure.draws === "bars")) return NOTHING;
  if (figure.kind === "categories")
    return seedsControl(figure.groups.some(({ values }) => values.some((v) => v.seeds.length > 0)));
  return markup`${logControl(figure, "y")}${logControl(figure, "x")}${smoothControl(figure)}${seedsControl(figure.series.some(({ role }) => role === "seed"))}`;
}

/** An axis on which nothing is positive has no logarithm. */
function logControl({ series, x, y }: LineFigure, axis: "x" | "y"): Html {
  const positive = series.some(({ points }) => points.some((point) => point[axis] > 0));
  if (!positive) return NOTHING;
  const checked = (axis === "x" ? x : y).scale === "log" ? markup` checked` : NOTHING;
  return markup`<label
    ><input type="checkbox" name="log${axis.toUpperCase()}" ${checked} />log ${axis === "x" ? x.title : "y"}</label
  >`;
}

function smoothControl({ series }: LineFigure): Html {
  const longest = series
    .filter(({ draws }) => draws === "line")
    .reduce((most, { points }) => Math.max(most, points.length), 0);
  if (longest < 8) return NOTHING;
  const options = SMOOTHINGS.filter((window) => 2 * window <= longest);
  return markup`<label
    >mean of
    <select name="smooth">
      <option value="1">single points</option>
      ${options.map((window) => markup`<option value="${window}">${window} points</option>`)}
    </select></label
  >`;
}

function seedsControl(hasSeeds: boolean): Html {
  return hasSeeds ? markup`<label><input type="checkbox" name="seeds" checked />single seeds</label>` : NOTHING;
}

/** How the files of figures are called, for whoever has them. */
export function filesSentence(folder: string): Html {
  const endings = FIGURE_ENDINGS.map((ending) => markup`<code>${ending}</code>`);
  return markup`<p>
    Each figure is in the folder <code>${folder}</code> beside this page, as
    ${endings.flatMap((ending, index) => (index === 0 ? [ending] : [markup`, `, ending]))}: the <code>.py</code> script
    draws it with matplotlib from the <code>.csv</code>, which holds every point in full precision.
  </p>`;
}
