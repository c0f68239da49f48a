import {
  groupsOf,
  type Axis,
  type CategoryFigure,
  type Figure,
  type LineFigure,
  type Rule,
  type TimelineFigure,
} from "../figures/figure.js";
import { colorOf, dashOf, SPAN_COLORS } from "../figures/palette.js";

const MARKERS = ["o", "s", "^", "D", "P", "v", ">"] as const;

/**
 * A script that draws the figure from the CSV file beside it. Authors change sizes, fonts and words there: so it is
 * short, and needs nothing but matplotlib.
 */
export function matplotlibScript(figure: Figure): string {
  const lines = [
    `# ${oneLine(figure.title)}`,
    ...figure.caption.map((sentence) => `# ${oneLine(sentence)}`),
    `# Needs matplotlib. Writes ${figure.id}.pdf beside the data.`,
    "import csv",
    "from pathlib import Path",
    "",
    "import matplotlib.pyplot as plt",
    ...(usesShares(figure) ? ["from matplotlib.ticker import PercentFormatter"] : []),
    "",
    "here = Path(__file__).parent",
    `rows = list(csv.DictReader((here / ${text(`${figure.id}.csv`)}).open(encoding="utf-8", newline="")))`,
    "",
    ...bodyOf(figure),
    `fig.savefig(here / ${text(`${figure.id}.pdf`)})`,
    "",
  ];
  return lines.join("\n");
}

function bodyOf(figure: Figure): string[] {
  switch (figure.kind) {
    case "lines":
      return linesBody(figure);
    case "categories":
      return categoriesBody(figure);
    case "timeline":
      return timelineBody(figure);
  }
}

/** What Python reads as the same text: JSON's escapes are a part of Python's. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}

function oneLine(words: string): string {
  return words.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
}

function usesShares(figure: Figure): boolean {
  if (figure.kind === "timeline") return false;
  return (figure.kind === "lines" ? figure.y : figure.value).format !== "number";
}

function stylesOf(groups: readonly string[]): string[] {
  return [
    "# Colour, dashes and marker of each group.",
    "styles = {",
    ...groups.map((group, index) => {
      const dash = dashOf(index);
      const style = dash.length === 0 ? '"-"' : `(0, (${dash.map((length) => length / 2).join(", ")}))`;
      return `    ${text(group)}: (${text(colorOf(index))}, ${style}, ${text(MARKERS[index % MARKERS.length]!)}),`;
    }),
    "}",
  ];
}

function linesBody(figure: LineFigure): string[] {
  const { x, y, series } = figure;
  const groups = groupsOf(figure);
  const [xOf, yOf] = [`float(row[${text(x.column)}])`, `float(row[${text(y.column)}])`];
  const drawnAs = (wanted: string): string => {
    const names = new Set(series.filter(({ draws }) => draws === wanted).map(({ name }) => text(name)));
    return names.size === 0 ? "set()" : `{${[...names].join(", ")}}`;
  };
  return [
    ...stylesOf(groups),
    `points = ${drawnAs("points")}  # series drawn as points`,
    `steps = ${drawnAs("steps")}  # series that hold their value until the next`,
    "",
    'fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")',
    "named = set()  # groups that are in the legend",
    'for name in dict.fromkeys((row["group"], row["series"], row["role"]) for row in rows):',
    "    group, series, role = name",
    '    own = [row for row in rows if (row["group"], row["series"], row["role"]) == name]',
    `    x, y = [${xOf} for row in own], [${yOf} for row in own]`,
    "    color, dashes, marker = styles[group]",
    '    label = group if role == "main" and group not in named else None',
    "    named.update([label])",
    "    if series in points:",
    '        ax.plot(x, y, linestyle="none", marker=marker, markersize=4, color=color, label=label)',
    "    else:",
    '        how = "steps-post" if series in steps else "default"',
    '        width, alpha = (1.5, 1) if role == "main" else (0.6, 0.4)',
    "        ax.plot(x, y, color=color, linestyle=dashes, linewidth=width, alpha=alpha, label=label, drawstyle=how)",
    '    band = [row for row in own if row["low"]]',
    '    if band and role == "main":',
    `        xs = [${xOf} for row in band]`,
    '        low, high = [float(row["low"]) for row in band], [float(row["high"]) for row in band]',
    "        if series in points:",
    "            ax.vlines(xs, low, high, color=color, linewidth=1)",
    "        else:",
    "            ax.fill_between(xs, low, high, color=color, alpha=0.18, linewidth=0)",
    ...figure.rules.map(ruleLine),
    ...(x.scale === "log" ? ['ax.set_xscale("log")'] : []),
    ...(y.scale === "log" ? ['ax.set_yscale("log")'] : []),
    `ax.set_xlabel(${text(x.title)})`,
    `ax.set_ylabel(${text(y.title)})`,
    ...formatterOf(y, "yaxis"),
    ...legendOf(groups.length + figure.rules.length),
    'ax.spines[["top", "right"]].set_visible(False)',
  ];
}

/** Below the axes, where it covers nothing. */
function legendOf(entries: number): string[] {
  if (entries < 2) return [];
  return ['fig.legend(fontsize=8, loc="outside lower center", ncols=2, frameon=False)'];
}

function formatterOf({ format }: Axis, axis: "xaxis" | "yaxis"): string[] {
  if (format === "number") return [];
  return [`ax.${axis}.set_major_formatter(PercentFormatter(1${format === "points" ? ', symbol=""' : ""}))`];
}

const RULE_STYLES = { decision: '"-"', hindsight: '"--"', limit: '":"', reference: '"--"' } as const;

function ruleLine({ axis, at, label, kind }: Rule): string {
  const call = axis === "x" ? "axvline" : "axhline";
  return `ax.${call}(${at}, color="0.3", linewidth=1, linestyle=${RULE_STYLES[kind]}, label=${text(label)})`;
}

function categoriesBody(figure: CategoryFigure): string[] {
  const { column, value, categories, draws } = figure;
  const groups = groupsOf(figure);
  const valueOf = `float(row[${text(value.column)}])`;
  return [
    ...stylesOf(groups),
    `categories = [${categories.map(text).join(", ")}]  # from the top down`,
    "",
    `fig, ax = plt.subplots(figsize=(5.2, 1 + ${draws === "bars" ? "0.22" : (0.14 * groups.length + 0.12).toFixed(2)} * len(categories)), layout="constrained")`,
    "for index, (group, (color, _, marker)) in enumerate(styles.items()):",
    ...(draws === "bars" ? [] : ["    offset = 0.7 * ((index + 0.5) / len(styles) - 0.5)"]),
    "    for row in rows:",
    '        if row["group"] != group:',
    "            continue",
    `        y = categories.index(row[${text(column)}])${draws === "bars" ? "" : " + offset"}`,
    ...(draws === "bars"
      ? [`        ax.barh(y, ${valueOf}, color=color, height=0.65)`]
      : [
          '        if row["role"] == "seed":',
          `            ax.plot(${valueOf}, y, marker=marker, markersize=3, markerfacecolor="none", color=color, alpha=0.6)`,
          "            continue",
          '        if row["low"]:',
          '            ax.hlines(y, float(row["low"]), float(row["high"]), color=color)',
          `        ax.plot(${valueOf}, y, linestyle="none", marker=marker, markersize=6, color=color)`,
          '    ax.plot([], [], linestyle="none", marker=marker, color=color, label=group)',
        ]),
    ...figure.rules.map(ruleLine),
    "ax.set_yticks(range(len(categories)), categories)",
    "ax.invert_yaxis()",
    `ax.set_xlabel(${text(value.title)})`,
    ...formatterOf(value, "xaxis"),
    ...legendOf(groups.length + figure.rules.length),
    'ax.spines[["top", "right"]].set_visible(False)',
  ];
}

function timelineBody({ x, rows, rules }: TimelineFigure): string[] {
  return [
    "colors = {",
    ...Object.entries(SPAN_COLORS).map(([state, color]) => `    ${text(state)}: ${text(color)},`),
    "}",
    `blocks = [${rows.map(({ name }) => text(name)).join(", ")}]  # from the top down`,
    "",
    'fig, ax = plt.subplots(figsize=(5.2, 1 + 0.25 * len(blocks)), layout="constrained")',
    "for row in rows:",
    '    start, end = float(row["from"]), float(row["to"]) + 1',
    '    color = colors[row["state"]]',
    '    ax.barh(blocks.index(row["block"]), end - start, left=start, color=color, edgecolor="0.6", linewidth=0.5)',
    ...rules.map(ruleLine),
    "for state, color in colors.items():",
    '    if any(row["state"] == state for row in rows):',
    '        ax.barh(0, 0, color=color, edgecolor="0.6", linewidth=0.5, label=state)',
    "ax.set_yticks(range(len(blocks)), blocks)",
    "ax.invert_yaxis()",
    `ax.set_xlabel(${text(x.title)})`,
    'ax.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)',
    'ax.spines[["top", "right"]].set_visible(False)',
  ];
}
