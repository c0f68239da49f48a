import { meanOf } from "../../statistics/moments.js";
import { signalName } from "../../words/names.js";
import { fileName, type Axis, type LineFigure, type Series } from "../figures/figure.js";
import { foundOffline, foundOnline, type AskedRule } from "../tables/what-if.js";

const AXES = {
  epsilon: { title: "tolerance epsilon", column: "epsilon", scale: "linear", format: "number" },
  tau: { title: "window tau (points)", column: "tau", scale: "linear", format: "number" },
} as const satisfies Readonly<Record<string, Axis>>;
const K: Axis = { title: "k (updates)", column: "k", scale: "linear", format: "number" };

/** k over the tolerance, or over the window where that alone varies: a figure for each condition and signal. */
export function whatIfFigures(asked: readonly AskedRule[]): LineFigure[] {
  const over = several(asked, "epsilon") ? "epsilon" : "tau";
  if (!several(asked, over)) return [];
  const keys = [...new Set(asked.map(keyOf))];
  return keys.flatMap((key) =>
    whatIfFigure(
      asked.filter((one) => keyOf(one) === key),
      over,
    ),
  );
}

function keyOf({ arm, signal }: AskedRule): string {
  return JSON.stringify([arm.label, signal]);
}

function several(asked: readonly AskedRule[], key: "tau" | "epsilon"): boolean {
  return new Set(asked.map((one) => one[key])).size > 1;
}

function whatIfFigure(asked: readonly AskedRule[], over: "tau" | "epsilon"): LineFigure[] {
  const { arm, signal, answers } = asked[0]!;
  const taus = over === "tau" ? [null] : [...new Set(asked.map(({ tau }) => tau))];
  const series = taus.flatMap((tau) => {
    const own = asked.filter((one) => tau === null || one.tau === tau);
    const name = (rule: string): string => (tau === null ? rule : `${rule}, tau ${tau}`);
    return [
      ...linesOver(name("online"), own, over, foundOnline),
      ...linesOver(name("offline"), own, over, foundOffline),
    ];
  });
  if (series.length === 0) return [];
  return [
    {
      kind: "lines",
      id: fileName(`what-if-${signal.replace("recorded:", "")}-${arm.label}`),
      title: `k by ${signalName(signal)} under other rules, in ${arm.label}`,
      caption: [
        `thick: the mean over the seeds in which the rule finds a k, of ${answers.length}; thin: single seeds`,
        "online: as the rule would fire on what was measured; offline: Algorithm 2 on all of it",
      ],
      x: AXES[over],
      y: K,
      series,
      rules: [],
    },
  ];
}

function linesOver(
  group: string,
  asked: readonly AskedRule[],
  over: "tau" | "epsilon",
  found: typeof foundOnline,
): Series[] {
  const at = asked
    .map((one) => ({ x: one[over], found: found(one) }))
    .filter((one) => one.found.length > 0)
    .sort((a, b) => a.x - b.x);
  if (at.length === 0) return [];
  const seeds = [...new Set(at.flatMap((one) => one.found.map(({ seed }) => seed)))];
  const ofSeeds = seeds.map((seed): Series => {
    const points = at.flatMap(({ x, found: values }) =>
      values.filter((one) => one.seed === seed).map(({ value }) => ({ x, y: value })),
    );
    return { name: `${group}, seed ${seed ?? ""}`, group, role: "seed", draws: "line", points };
  });
  const points = at.map(({ x, found: values }) => ({ x, y: meanOf(values.map(({ value }) => value))! }));
  const mean: Series = { name: group, group, role: "main", draws: "line", points };
  return seeds.length === 1 ? [mean] : [...ofSeeds, mean];
}
