"""The numbers of written tables, computed again from raw results by SciPy and without a line of the program's own."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).resolve().parents[3]
TABLES = ROOT / "test" / "vectors" / "report"
RESULTS = ROOT / "docs" / "results" / "summaries"

Scores = dict[str, dict[int, dict[str, float]]]


def read(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def cells(name: str, column: str) -> dict[str, dict[str, str]]:
    """Cells of a column by row."""
    return {line["row"]: line for line in read(name) if line["column"] == column and line["kind"] == "cell"}


def points(name: str, column: str) -> dict[str, dict[int, float]]:
    by_row: dict[str, dict[int, float]] = {}
    for line in read(name):
        if line["column"] == column and line["kind"] == "point":
            by_row.setdefault(line["row"], {})[int(line["seed"])] = float(line["value"])
    return by_row


def kept(prefix: str) -> Scores:
    """Scores by condition and seed, from files of results."""
    scores: Scores = {}
    for path in sorted(RESULTS.glob(f"{prefix}-*-seed*.json")):
        found = re.fullmatch(rf"{prefix}-(.+)-seed(\d+)", path.stem)
        assert found is not None
        results = json.loads(path.read_text())["results"]
        scores.setdefault(found[1], {})[int(found[2])] = dict(flat(results))
    assert scores
    return scores


def flat(results: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in (results["in_dist"] or {}).items():
        yield f"in_dist/{name}", value
    if results["ood"] is not None:
        counted = [
            value
            for name, value in results["ood"]["per_corruption"].items()
            if name not in results["ood"].get("left_out", {})
        ]
        yield "ood/mean", float(np.mean(counted))
        for name, value in results["ood"]["per_corruption"].items():
            yield f"ood/{name}", value
    for test_set, scored in (results.get("scores") or {}).items():
        languages = scored["per_language"]
        for language, values in languages.items():
            for name, value in values.items():
                yield f"{test_set}/{language}/{name}", value
        for name in ("f1", "exact_match"):
            foreign = [values[name] for language, values in languages.items() if language != "en"]
            yield f"{test_set}/x-ling/{name}", float(np.mean(foreign))


def tried() -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads((TABLES / "tried-k.json").read_text())
    return runs


def close(text: str, value: float) -> bool:
    return float(text) == pytest.approx(value, rel=1e-9, abs=1e-12)


SWEEPS = [
    ("mnist-width8", "in_dist/accuracy", "change"),
    ("mnist-width8", "ood/mean", "gain"),
    ("xquad-small", "in_dist/f1", "change"),
    ("xquad-small", "xquad/x-ling/f1", "gain"),
    ("cifar10-width16", "ood/mean", "gain"),
]


@pytest.mark.parametrize(("prefix", "score", "difference"), SWEEPS)
def test_scores(prefix: str, score: str, difference: str) -> None:
    scores = kept(prefix)
    table = f"{prefix}-scores.csv"
    means, gains = cells(table, score), cells(table, difference)
    assert means.keys() == scores.keys() == gains.keys()
    for condition, by_seed in scores.items():
        values = [by_seed[seed][score] for seed in sorted(by_seed)]
        cell = means[condition]
        assert close(cell["value"], float(np.mean(values)))
        assert int(cell["n"]) == len(values)
        assert points(table, score)[condition] == pytest.approx(
            {seed: by_seed[seed][score] for seed in by_seed}, rel=1e-12
        )
        if len(values) == 1:
            assert cell["standard_deviation"] == cell["lower"] == ""
            continue
        assert close(cell["standard_deviation"], float(np.std(values, ddof=1)))
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
        assert close(cell["lower"], low)
        assert close(cell["upper"], high)
        if condition == "standard":
            assert gains[condition]["value"] == ""
            continue
        standard = [scores["standard"][seed][score] for seed in sorted(by_seed)]
        paired = stats.ttest_rel(values, standard).confidence_interval(0.95)
        assert close(gains[condition]["value"], float(np.mean(np.subtract(values, standard))))
        assert close(gains[condition]["lower"], paired.low)
        assert close(gains[condition]["upper"], paired.high)


def test_probability_of_improvement() -> None:
    scores = kept("mnist-width8")
    standard = [run["ood/mean"] for run in scores["standard"].values()]
    for condition, cell in cells("mnist-width8-scores.csv", "improvement").items():
        if condition == "standard":
            continue
        ours = [run["ood/mean"] for run in scores[condition].values()]
        statistic = stats.mannwhitneyu(ours, standard).statistic
        assert close(cell["value"], float(statistic) / (len(ours) * len(standard)))


def test_every_score() -> None:
    scores = kept("mnist-width8")
    compared = 0
    for line in read("mnist-width8-every-score.csv"):
        values = [run[line["column"]] for run in scores[line["row"]].values()]
        if line["kind"] == "cell":
            assert close(line["value"], float(np.mean(values)))
            compared += 1
    assert compared == len(scores) * 17


def test_interquartile_mean_from_six_seeds() -> None:
    runs = tried()
    for row, cell in cells("tried-k-scores.csv", "iqm").items():
        condition, _, k = row.partition(" k=")
        values = [
            run["scores"]["ood/mean"]
            for run in runs
            if run["condition"] == condition
            and run["scores"] is not None
            and (k == "" or run["axes"] == {"intervention.k": int(k)})
        ]
        assert len(values) >= 6
        assert close(cell["value"], float(stats.trim_mean(values, 0.25)))


def test_winning_rate() -> None:
    online: dict[int, float] = {}
    drawn: dict[int, dict[int, float]] = {}
    for run in tried():
        if run["scores"] is None:
            continue
        score = run["scores"]["ood/mean"]
        if run["condition"] == "online" and run["k_source"] == "online":
            online[run["seed"]] = score
        elif run["condition"] == "random":
            drawn.setdefault(run["axes"]["intervention.k"], {})[run["seed"]] = score
    assert len(drawn) == 10
    assert len(online) == 6, "the run that the cap ended is left out"

    wins = 0.0
    for by_seed in drawn.values():
        shared = online.keys() & by_seed.keys()
        margin = np.mean([online[seed] for seed in shared]) - np.mean([by_seed[seed] for seed in shared])
        wins += 0.5 if abs(margin) < 1e-12 else float(margin > 0)
    rate = cells("tried-k-winning-rate.csv", "winning_rate")["online"]
    assert close(rate["value"], wins / 10)
    interval = stats.binomtest(int(wins), 10).proportion_ci(0.95, method="wilson")
    assert wins == int(wins)
    assert close(rate["lower"], interval.low)
    assert close(rate["upper"], interval.high)

    by_seed_rates = points("tried-k-winning-rate.csv", "rate_by_seed")["online"]
    for seed, score in online.items():
        others = [by_seed[seed] for by_seed in drawn.values() if seed in by_seed]
        assert by_seed_rates[seed] == pytest.approx(np.mean([score > other for other in others]))

    complete = {
        seed: score - np.mean([by_seed[seed] for by_seed in drawn.values()])
        for seed, score in online.items()
        if all(seed in by_seed for by_seed in drawn.values())
    }
    gain = cells("tried-k-winning-rate.csv", "gain")["online"]
    assert int(gain["n"]) == len(complete) == 5
    low, high = stats.t.interval(0.95, 4, np.mean(list(complete.values())), stats.sem(list(complete.values())))
    assert close(gain["value"], float(np.mean(list(complete.values()))))
    assert close(gain["lower"], low)
    assert close(gain["upper"], high)


@pytest.mark.parametrize("path", sorted(TABLES.glob("*.csv")), ids=lambda path: path.name)
def test_opens_without_options(path: Path) -> None:
    frame = pytest.importorskip("pandas").read_csv(path)
    assert frame["value"].dtype == float
    assert frame["row"].notna().all()
    assert set(frame["kind"]) <= {"cell", "point"}
    assert set(frame["origin"]) <= {"measured", "paper"}
    lines = read(path.name)
    for column in ("value", "standard_deviation", "lower", "upper"):
        numbers = [float(line[column]) if line[column] else float("nan") for line in lines]
        np.testing.assert_allclose(frame[column], numbers, rtol=1e-14)


def test_rendered_numbers_are_those_of_the_data() -> None:
    """What Markdown shows of a mean is its value in per cent, with two decimals."""
    text = (TABLES / "mnist-width8-scores.md").read_text()
    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    head, body = rows[0], rows[2:]
    column = next(index for index, heading in enumerate(head) if heading.startswith("OOD accuracy"))
    means = cells("mnist-width8-scores.csv", "ood/mean")
    for row in body:
        cell = means[row[0]]
        shown = row[column].strip("*_")
        assert shown == f"{100 * float(cell['value']):.2f} ± {100 * float(cell['standard_deviation']):.2f}"
