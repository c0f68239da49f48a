/** What the figures on a page are put together of; see chart.js. */

import { escapeText, styleOf, tickText, widthOf } from "./scale.js";

export const ROW = 14;
export const round = (value) => Math.round(value * 10) / 10;

export function pathOf(points, x, y, steps) {
  let path = "";
  let isGap = true;
  let last = 0;
  for (const [px, py] of points) {
    if (!x.isShown(px) || !y.isShown(py)) {
      isGap = true;
      continue;
    }
    const [cx, cy] = [round(x.at(px)), round(y.at(py))];
    path += isGap ? `M${cx} ${cy}` : steps ? `L${cx} ${last}L${cx} ${cy}` : `L${cx} ${cy}`;
    last = cy;
    isGap = false;
  }
  return path;
}

const SHAPES = [
  (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
  (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`,
  (x, y, r) => `M${x} ${y - 1.2 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}Z`,
  (x, y, r) => `M${x} ${y - 1.4 * r}l${1.3 * r} ${1.4 * r}l${-1.3 * r} ${1.4 * r}l${-1.3 * r} ${-1.4 * r}Z`,
  (x, y, r) =>
    `M${x - r} ${y - 0.4 * r}h${0.6 * r}v${-0.6 * r}h${0.8 * r}v${0.6 * r}h${0.6 * r}v${0.8 * r}h${-0.6 * r}v${0.6 * r}h${-0.8 * r}v${-0.6 * r}h${-0.6 * r}Z`,
  (x, y, r) => `M${x} ${y + 1.2 * r}l${1.2 * r} ${-2.1 * r}h${-2.4 * r}Z`,
];

export function symbol(shape, x, y, radius, classes) {
  return `<path class="${classes}" d="${SHAPES[shape](round(x), round(y), radius)}"/>`;
}

/** Labels of upright lines above the plot, in as many rows as they need. */
export function placeRules(rules, left, right, x) {
  const taken = [];
  return rules
    .filter((rule) => rule.axis === "x" && x.isShown(rule.at))
    .map((rule) => ({ ...rule, x: x.at(rule.at) }))
    .sort((a, b) => a.x - b.x)
    .map((rule) => {
      const room = widthOf(rule.label) + 8;
      const toRight = rule.x + room <= right + 8 || rule.x - room < left;
      const from = toRight ? rule.x : rule.x - room;
      let row = taken.findIndex((until) => until <= from);
      if (row === -1) row = taken.length;
      taken[row] = from + room;
      return { ...rule, row, toRight };
    });
}

export const RULE_DASHES = { decision: "", hindsight: "6 3", limit: "2 3", reference: "6 3" };

export function ruleColor(rule, groups) {
  return rule.group === null ? "" : ` ${styleOf(groups.indexOf(rule.group)).color}`;
}

export function drawUpright(placed, top, bottom, groups) {
  return placed
    .map(({ label, x, row, toRight, kind, ...rule }) => {
      const color = ruleColor(rule, groups);
      const y = top - 4 - row * ROW;
      const line = `<path class="rule${color}" stroke-dasharray="${RULE_DASHES[kind]}" d="M${round(x)} ${y - 8}V${bottom}"/>`;
      const anchor = toRight ? "start" : "end";
      return `<g class="mark">${line}<text class="rule-label${color}" x="${round(x + (toRight ? 3 : -3))}" y="${y}" text-anchor="${anchor}">${escapeText(label)}</text></g>`;
    })
    .join("");
}

export function axesOf(figure, area, x, y) {
  const { left, right, top, bottom } = area;
  const grid = y.ticks.map((tick) => `<path class="grid" d="M${left} ${round(y.at(tick))}H${right}"/>`).join("");
  const yLabels = y.ticks
    .map(
      (tick) =>
        `<text class="tick" x="${left - 6}" y="${round(y.at(tick) + 4)}" text-anchor="end">${tickText(tick, figure.y.format)}</text>`,
    )
    .join("");
  const title = `<text class="axis-title" transform="translate(12 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeText(figure.y.title)}</text>`;
  return grid + yLabels + title + xAxis(figure.x, area, x);
}

export function xAxis(axis, { left, right, bottom }, x) {
  const fitting = [];
  let until = -Infinity;
  for (const tick of x.ticks) {
    const half = widthOf(tickText(tick, axis.format)) / 2;
    if (x.at(tick) - half < until) continue;
    fitting.push(tick);
    until = x.at(tick) + half + 8;
  }
  const labels = fitting.map((tick) => {
    const at = round(x.at(tick));
    return `<path class="axis" d="M${at} ${bottom}v4"/><text class="tick" x="${at}" y="${bottom + 17}" text-anchor="middle">${tickText(tick, axis.format)}</text>`;
  });
  const line = `<path class="axis" d="M${left} ${bottom}H${right}"/>`;
  return `${line}${labels.join("")}<text class="axis-title" x="${(left + right) / 2}" y="${bottom + 35}" text-anchor="middle">${escapeText(axis.title)}</text>`;
}

export function svgOf(figure, width, height, content) {
  const label = escapeText([figure.title, ...figure.caption].join(". "));
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">${content}</svg>`;
}
