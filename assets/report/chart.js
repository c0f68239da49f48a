/**
 * Draws figures of the figure model (src/report/figures/figure.ts) as SVG text. The report draws every figure with it once
 * when it writes the page, so that the page shows all of them without scripts and in print; in the page it draws them
 * again for another width, axis or smoothing. It is put into the page as it is: with scale.js and parts.js in front, and no styles
 * but the classes of page.css.
 */

import {
  axesOf,
  drawUpright,
  pathOf,
  placeRules,
  round,
  ROW,
  RULE_DASHES,
  ruleColor,
  svgOf,
  symbol,
  xAxis,
} from "./parts.js";
import { escapeText, formatValue, scaleOf, smoothed, styleOf, tickText, widthOf } from "./scale.js";

/**
 * @param options width in pixels; logX, logY; smooth: points of the moving mean; seeds: whether single seeds are shown;
 * off: names of the groups that are not
 * @returns the SVG, and for a figure of lines what is needed to look values up in it
 */
export function drawFigure(figure, options) {
  if (figure.kind === "lines") return drawLines(figure, options);
  return figure.kind === "categories" ? drawCategories(figure, options) : drawTimeline(figure, options);
}

function drawLines(
  figure,
  { width, logX = figure.x.scale === "log", logY = figure.y.scale === "log", smooth = 1, seeds = true, off = [] },
) {
  const groups = [...new Set(figure.series.map(({ group }) => group))];
  const shown = figure.series.filter(({ group, role }) => !off.includes(group) && (seeds || role === "main"));
  const drawn = shown.map((series) => ({
    ...series,
    points: series.draws === "line" ? smoothed(series.points, smooth) : series.points,
  }));
  const isSmooth = smooth > 1 && drawn.some(({ draws }) => draws === "line");
  const all = shown.flatMap(({ points }) => points);
  const bands = shown
    .filter(({ role }) => role === "main")
    .flatMap(({ points }) => points.flatMap((point) => (point.length > 2 ? [point[2], point[3]] : [])));
  const levels = figure.rules.filter(({ axis }) => axis === "y").map(({ at }) => at);
  const ys = [...all.map((point) => point[1]), ...bands, ...levels];
  const height = width < 480 ? 260 : 320;
  const bottom = height - 42;
  const draft = scaleOf(ys, logY, bottom, 10, 0.04);
  const left = 30 + Math.max(...draft.ticks.map((tick) => widthOf(tickText(tick, figure.y.format))));
  const right = width - 14;
  const xs = [...all.map((point) => point[0]), ...figure.rules.filter(({ axis }) => axis === "x").map(({ at }) => at)];
  const x = scaleOf(xs, logX, left, right, figure.series.some(({ draws }) => draws === "points") ? 0.03 : 0);
  const placed = placeRules(figure.rules, left, right, x);
  const top = 10 + ROW * (1 + Math.max(-1, ...placed.map(({ row }) => row)));
  const y = scaleOf(ys, logY, bottom, top, 0.04);
  const area = { left, right, top, bottom };
  const styled = drawn.map((series) => ({ ...series, style: styleOf(groups.indexOf(series.group)) }));
  const raw = isSmooth
    ? shown
        .filter(({ role }) => role === "main")
        .map(
          (series) =>
            `<path class="line raw ${styleOf(groups.indexOf(series.group)).color}" d="${pathOf(series.points, x, y, false)}"/>`,
        )
    : [];
  const bandPaths = isSmooth
    ? []
    : styled
        .filter(({ role, points }) => role === "main" && points.some((point) => point.length > 2))
        .map(bandOf(x, y));
  const order = [...styled.filter(({ role }) => role === "seed"), ...styled.filter(({ role }) => role === "main")];
  const lines = order.map(({ points, role, draws, style }) => {
    if (draws === "points")
      return points
        .filter(([px, py]) => x.isShown(px) && y.isShown(py))
        .map(([px, py]) =>
          symbol(style.shape, x.at(px), y.at(py), role === "seed" ? 2.5 : 4.5, `dot ${role} ${style.color}`),
        )
        .join("");
    const dots =
      role === "main" && points.length <= 60 && draws === "line"
        ? points
            .filter(([px, py]) => x.isShown(px) && y.isShown(py))
            .map(([px, py]) => symbol(0, x.at(px), y.at(py), 2.2, `dot ${style.color}`))
            .join("")
        : "";
    return `<path class="line ${role} ${style.color}" stroke-dasharray="${style.dash}" d="${pathOf(points, x, y, draws === "steps")}"/>${dots}`;
  });
  const level = figure.rules
    .filter((rule) => rule.axis === "y" && y.isShown(rule.at))
    .map((rule) => {
      const at = round(y.at(rule.at));
      const color = ruleColor(rule, groups);
      return `<g class="mark"><path class="rule${color}" stroke-dasharray="${RULE_DASHES[rule.kind]}" d="M${left} ${at}H${right}"/><text class="rule-label${color}" x="${right}" y="${at - 4}" text-anchor="end">${escapeText(rule.label)}</text></g>`;
    });
  const content =
    axesOf(figure, area, x, y) +
    bandPaths.join("") +
    raw.join("") +
    lines.join("") +
    level.join("") +
    drawUpright(placed, top, bottom, groups);
  return { svg: svgOf(figure, width, height, content), area, x, y, drawn: styled };
}

function bandOf(x, y) {
  return ({ points, style, draws }) => {
    const inside = points.filter(
      (point) => point.length > 2 && x.isShown(point[0]) && y.isShown(point[2]) && y.isShown(point[3]),
    );
    if (draws === "points")
      return inside
        .map(
          ([px, , low, high]) =>
            `<path class="interval ${style.color}" d="M${round(x.at(px))} ${round(y.at(low))}V${round(y.at(high))}"/>`,
        )
        .join("");
    const there = inside.map(([px, , low]) => `${round(x.at(px))} ${round(y.at(low))}`);
    const back = inside.map(([px, , , high]) => `${round(x.at(px))} ${round(y.at(high))}`).reverse();
    return inside.length < 2 ? "" : `<path class="band ${style.color}" d="M${[...there, ...back].join("L")}Z"/>`;
  };
}

/** Texts that are too long for the margin end in three dots; what they are in full is their title. */
function categoryLabel(name, x, y, room) {
  const most = Math.max(3, Math.floor(room / 6.3));
  const short =
    name.length <= most
      ? escapeText(name)
      : `${escapeText(name.slice(0, most - 1))}…<title>${escapeText(name)}</title>`;
  return `<text class="tick" x="${x}" y="${round(y)}" text-anchor="end">${short}</text>`;
}

function marginFor(names, width) {
  return Math.min(0.42 * width, 18 + Math.max(40, ...names.map(widthOf)));
}

function drawCategories(figure, { width, off = [], seeds = true }) {
  const groups = figure.groups.map(({ name }) => name);
  const shown = figure.groups.filter(({ name }) => !off.includes(name));
  const isBars = figure.draws === "bars";
  const numbers = shown.flatMap(({ values }) =>
    values.flatMap(([, value, low, high, single]) => [value, low ?? value, high ?? value, ...(single ?? [])]),
  );
  const step = isBars ? 21 : Math.max(24, 10 * groups.length + 12);
  const left = marginFor(figure.categories, width);
  const right = width - (isBars ? 66 : 20);
  const at = [...numbers, ...figure.rules.map((rule) => rule.at), ...(isBars ? [0] : [])];
  const x = scaleOf(at, false, left, right, isBars ? 0 : 0.05);
  const placed = placeRules(figure.rules, left, right, x);
  const top = 8 + ROW * (1 + Math.max(-1, ...placed.map(({ row }) => row)));
  const bottom = top + step * figure.categories.length;
  const middle = (category) => top + step * (figure.categories.indexOf(category) + 0.5);
  const grid = x.ticks.map((tick) => `<path class="grid" d="M${round(x.at(tick))} ${top}V${bottom}"/>`).join("");
  const labels = figure.categories.map((name) => categoryLabel(name, left - 8, middle(name) + 4, left - 14)).join("");
  const marks = shown.flatMap(({ name, values }) => {
    const index = groups.indexOf(name);
    const style = styleOf(index);
    const shift = isBars ? 0 : ((index + 0.5) / groups.length - 0.5) * (step - 10);
    return values.map(([category, value, low, high, single]) => {
      const y = middle(category) + shift;
      const said = `<title>${escapeText(`${category}${groups.length > 1 ? `, ${name}` : ""}: ${formatValue(value, figure.value.format)}${typeof low !== "number" ? "" : ` (${formatValue(low, figure.value.format)} to ${formatValue(high, figure.value.format)})`}`)}</title>`;
      if (isBars) {
        const from = x.at(0);
        return `<g class="mark"><path class="bar ${style.color}" d="M${round(from)} ${round(y - 7)}H${round(x.at(value))}V${round(y + 7)}H${round(from)}Z"/><text class="tick" x="${width - 6}" y="${round(y + 4)}" text-anchor="end">${formatValue(value, figure.value.format)}</text>${said}</g>`;
      }
      const points = seeds
        ? (single ?? []).map((one) => symbol(style.shape, x.at(one), y, 2.6, `dot seed ${style.color}`)).join("")
        : "";
      const interval =
        typeof low !== "number"
          ? ""
          : `<path class="interval ${style.color}" d="M${round(x.at(low))} ${round(y)}H${round(x.at(high))}"/>`;
      return `<g class="mark">${points}${interval}${symbol(style.shape, x.at(value), y, 4.6, `dot ${style.color}`)}${said}</g>`;
    });
  });
  const content =
    grid +
    labels +
    marks.join("") +
    drawUpright(placed, top, bottom, groups) +
    xAxis(figure.value, { left, right, bottom }, x);
  return { svg: svgOf(figure, width, bottom + 42, content) };
}

function drawTimeline(figure, { width }) {
  const step = 24;
  const left = marginFor(
    figure.rows.map(({ name }) => name),
    width,
  );
  const right = width - 14;
  const ends = figure.rows.flatMap(({ spans }) => spans.flatMap(({ from, to }) => [from, to + 1]));
  const x = scaleOf(ends, false, left, right, 0);
  const placed = placeRules(figure.rules, left, right, x);
  const top = 8 + ROW * (1 + Math.max(-1, ...placed.map(({ row }) => row)));
  const bottom = top + step * figure.rows.length;
  const rows = figure.rows.map(({ name, spans }, index) => {
    const y = top + step * index;
    const bars = spans.map(({ from, to, state }) => {
      const said = `<title>${escapeText(`${name}: ${state}, updates ${from} to ${to}`)}</title>`;
      const [start, end] = [round(x.at(from)), round(x.at(to + 1))];
      const room = end - start > widthOf(String(from)) + 10 && state === "training" && from > 1;
      const update = room ? `<text class="on-bar" x="${start + 5}" y="${y + 16}">${from}</text>` : "";
      return `<g class="mark"><path class="span ${state.replace(" ", "-")}" d="M${start} ${y + 4}H${end}V${y + 20}H${start}Z"/>${update}${said}</g>`;
    });
    return categoryLabel(name, left - 8, y + 16, left - 14) + bars.join("");
  });
  const content =
    rows.join("") + drawUpright(placed, top, bottom, []) + xAxis(figure.x, { left, right, bottom: bottom + 2 }, x);
  return { svg: svgOf(figure, width, bottom + 46, content) };
}
