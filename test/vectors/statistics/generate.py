"""What SciPy gives for what src/statistics computes; `python test/vectors/statistics/generate.py` writes scipy.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special, stats

VECTORS = Path(__file__).with_name("scipy.json")
LEVELS = [0.8, 0.95, 0.99]


def vectors() -> dict[str, list[dict[str, Any]]]:
    random = np.random.Generator(np.random.Philox(20261130))
    return {
        "log_gamma": [{"x": x, "value": float(special.gammaln(x))} for x in [0.1, 0.5, 1, 1.5, 2, 7.25, 40, 1000]],
        "erfc": [
            {"x": x, "value": float(special.erfc(x))} for x in [-3, -0.5, 0, 1e-9, 0.3, 1.9, 2, 2.1, 3.5, 6, 12, 26]
        ],
        "beta": [
            {"x": x, "a": a, "b": b, "value": float(special.betainc(a, b, x))}
            for x in [0, 0.01, 0.3, 0.5, 0.9, 0.999, 1]
            for a, b in [(0.5, 0.5), (1, 3), (2.5, 0.5), (30, 4), (200, 300)]
        ],
        "normal_quantile": [
            {"p": p, "value": float(stats.norm.ppf(p))} for p in [1e-8, 0.01, 0.3, 0.5, 0.9, 0.975, 0.995]
        ],
        "student": [
            {
                "p": p,
                "degrees": degrees,
                "quantile": float(stats.t.ppf(p, degrees)),
                "tail": float(stats.t.sf(3 * p, degrees)),
            }
            for p in [0.005, 0.3, 0.5, 0.9, 0.975, 0.9995]
            for degrees in [1, 2, 3, 3.7, 5, 30, 1000]
        ],
        "mean": [mean(values, level) for values in samples(random) for level in LEVELS],
        "paired": [paired(random, count) for count in [2, 3, 4, 6, 25]],
        "interquartile_mean": [
            {"values": values, "value": float(stats.trim_mean(values, 0.25))}
            for values in (random.normal(size=count).tolist() for count in [6, 7, 8, 9, 30])
        ],
        "wilson": [
            wilson(successes, trials, level)
            for successes, trials in [(0, 10), (1, 10), (5, 10), (10, 10), (25, 30), (9, 20), (1, 1), (700, 1000)]
            for level in LEVELS
        ],
        "improvement": [improvement(random, *sizes) for sizes in [(1, 1), (3, 5), (4, 4), (10, 7)]],
        "kendall": [kendall(x, y) for x, y in ranked(random)],
        "percentile": [
            {"values": values, "share": share, "value": float(np.percentile(values, 100 * share))}
            for values in (np.sort(random.normal(size=count)).tolist() for count in [1, 2, 5, 40])
            for share in [0, 0.025, 0.5, 0.975, 1]
        ],
        "bootstrap": [bootstrap(random, count) for count in [6, 12]],
    }


def samples(random: np.random.Generator) -> list[list[float]]:
    drawn = [random.normal(loc=70, scale=3, size=count).tolist() for count in [2, 3, 4, 6, 20]]
    return [*drawn, [0.5, 0.5, 0.5], [1e9, 1e9 + 1, 1e9 + 2], [-1e-12, 1e-12]]


def mean(values: Sequence[float], level: float) -> dict[str, Any]:
    deviation = float(np.std(values, ddof=1))
    bounds = [np.mean(values)] * 2  # a scale of 0 is none of SciPy's
    if deviation > 0:
        bounds = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return {
        "values": list(values),
        "level": level,
        "mean": float(np.mean(values)),
        "standard_deviation": deviation,
        "interval": [float(bound) for bound in bounds],
    }


def paired(random: np.random.Generator, count: int) -> dict[str, Any]:
    ours, theirs = random.normal(size=count), random.normal(size=count)
    interval = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    return {
        "ours": ours.tolist(),
        "theirs": theirs.tolist(),
        "mean": float(np.mean(ours - theirs)),
        "interval": [float(interval.low), float(interval.high)],
    }


def wilson(successes: int, trials: int, level: float) -> dict[str, Any]:
    interval = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return {
        "successes": successes,
        "trials": trials,
        "level": level,
        "interval": [float(interval.low), float(interval.high)],
    }


def improvement(random: np.random.Generator, ours: int, theirs: int) -> dict[str, Any]:
    """As rliable computes it: U of Mann and Whitney over the number of pairs. Rounded, so that there are ties."""
    x, y = np.round(random.normal(size=ours), 1), np.round(random.normal(size=theirs), 1)
    statistic = stats.mannwhitneyu(x, y).statistic
    return {"ours": x.tolist(), "theirs": y.tolist(), "value": float(statistic) / (ours * theirs)}


def ranked(random: np.random.Generator) -> list[tuple[list[float], list[float]]]:
    plain = [(random.permutation(n).tolist(), random.permutation(n).tolist()) for n in [2, 3, 4, 5, 7, 9, 10, 11, 40]]
    tied = [
        (random.integers(0, top, size=n).tolist(), random.integers(0, top, size=n).tolist())
        for n, top in [(5, 3), (8, 4), (10, 6), (30, 5), (30, 1000)]
    ]
    return [
        *plain,
        *tied,
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ([1, 2, 3, 4], [4, 3, 2, 1]),
        ([1, 1], [1, 2]),
        ([3, 3], [3, 3]),
    ]


def kendall(x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    """Exact up to ten pairs without ties; SciPy by itself goes further."""
    exact = len(x) <= 10 and len(set(x)) == len(x) and len(set(y)) == len(y)
    result = stats.kendalltau(x, y, method="exact" if exact else "asymptotic")
    known = bool(np.isfinite(result.statistic))
    return {
        "x": list(x),
        "y": list(y),
        "exact": exact,
        "tau": float(result.statistic) if known else None,
        "p": float(result.pvalue) if known else None,
    }


def bootstrap(random: np.random.Generator, count: int) -> dict[str, Any]:
    values = random.normal(loc=70, scale=3, size=count)
    result = stats.bootstrap((values,), np.mean, n_resamples=50_000, method="percentile", rng=random)
    interval = result.confidence_interval
    return {"values": values.tolist(), "interval": [float(interval.low), float(interval.high)]}


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
