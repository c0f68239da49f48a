"""Numbers of a sweep's report, computed again from raw files with scipy: `recompute.py SWEEP REPORT` prints JSON."""

from __future__ import annotations

import csv
import json
import math
import statistics
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

from scipy import stats

sweep, report = Path(sys.argv[1]), Path(sys.argv[2])
plan = json.loads((sweep / "sweep.json").read_text())
compared: defaultdict[str, int] = defaultdict(int)
differing: list[str] = []


def compare(part: str, what: str, said: float, own: float, tolerance: float = 1e-9) -> None:
    compared[part] += 1
    if not math.isclose(said, own, rel_tol=min(tolerance, 1e-7), abs_tol=tolerance):
        differing.append(f"{part}, {what}: {said} where {own} was computed")


def raw_results(run: dict[str, object]) -> dict | None:
    taken = sweep / ".sweep" / str(run["id"]) / "taken.json"
    folder = json.loads(taken.read_text())["from"] if taken.exists() else run["id"]
    file = sweep / str(folder) / "results.json"
    results = json.loads(file.read_text()) if file.exists() else None
    return results if results is not None and results["outcome"] == "finished" else None


def named(results: dict) -> dict[str, float]:
    scores = {f"in_dist/{name}": value for name, value in results["in_dist"].items() if name == "accuracy"}
    scores["ood/mean"] = statistics.fmean(results["ood"]["per_corruption"].values())
    return scores | {f"ood/{name}": value for name, value in results["ood"]["per_corruption"].items()}


def label(run: dict) -> str:
    return " ".join([run["condition"], *(f"{key.split('.')[-1]}={value}" for key, value in run["axes"].items())])


# By condition with its axes, and seed.
arms: defaultdict[str, dict[int, dict[str, float]]] = defaultdict(dict)
for run in plan["runs"]:
    if (found := raw_results(run)) is not None:
        arms[label(run)][run["seed"]] = named(found)


def of_score(arm: str, score: str) -> list[float]:
    return [scores[score] for _, scores in sorted(arms[arm].items()) if score in scores]


def differences(arm: str, score: str) -> list[float]:
    base = arms["standard"]
    return [scores[score] - base[seed][score] for seed, scores in sorted(arms[arm].items()) if seed in base]


def interval(values: list[float]) -> tuple[float, float]:
    if len(set(values)) == 1:
        return values[0], values[0]
    error = statistics.stdev(values) / math.sqrt(len(values))
    lower, upper = stats.t.interval(0.95, len(values) - 1, loc=statistics.fmean(values), scale=error)
    return float(lower), float(upper)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def check_values(part: str, row: dict[str, str], values: list[float]) -> None:
    what = f"{row['row']}, {row['column']}"
    compare(part, f"{what}, mean", float(row["value"]), statistics.fmean(values))
    if row["standard_deviation"]:
        compare(part, f"{what}, standard deviation", float(row["standard_deviation"]), statistics.stdev(values))
    if row["lower"] and len(values) > 1 and statistics.stdev(values) > 0:
        for said, own in zip((row["lower"], row["upper"]), interval(values), strict=True):
            compare(part, f"{what}, interval", float(said), own, 1e-7)


def check_table(name: str) -> None:
    for row in rows(report / "tables" / f"{name}.csv"):
        arm, column = row["row"], row["column"]
        if (
            row["kind"] == "point"
            and (column.startswith(("in_dist/", "ood/")))
            and column in arms[arm][int(row["seed"])]
        ):
            compare(f"{name}.csv", f"{arm}, {column}", float(row["value"]), arms[arm][int(row["seed"])][column])
        if row["kind"] != "cell" or not row["value"]:
            continue
        if column == "gain":
            check_values(f"{name}.csv", row, differences(arm, "ood/mean"))
        elif column in ("in_dist/accuracy", "ood/mean") or (name == "every-score" and column.startswith("ood/")):
            check_values(f"{name}.csv", row, of_score(arm, column))


def check_kendall() -> None:
    said = {(row["row"], row["column"]): float(row["value"]) for row in rows(report / "tables" / "kendall.csv")}
    labels = {"feature_lambda_max": "largest feature eigenvalue", "sharpness_avg": "average sharpness"}
    labels["sharpness_worst"] = "worst-case sharpness"
    for metric, words in labels.items():
        path = report / "figures" / f"paper-figure-5-{metric}.csv"
        if not path.exists():
            continue
        points = [row for row in rows(path) if row["role"] == "main"]
        signals, scores = ([float(row[list(row)[at]]) for row in points] for at in (3, 4))
        known = {round(value, 12) for arm in arms for value in of_score(arm, "ood/mean")}
        differing.extend(f"figure 5: no run has OOD {score}" for score in scores if round(score, 12) not in known)
        exact = len(signals) <= 10 and len(set(signals)) == len(signals) and len(set(scores)) == len(scores)
        own = stats.kendalltau(signals, scores, method="exact" if exact else "asymptotic")
        compare("kendall.csv", f"{words}, tau", said[words, "tau"], own.statistic)
        compare("kendall.csv", f"{words}, p", said[words, "p"], own.pvalue, 1e-7)


def check_change_over_k() -> None:
    scores = {"ID accuracy": "in_dist/accuracy", "OOD accuracy": "ood/mean"}
    ks = {label(run): run["axes"]["intervention.k"] for run in plan["runs"] if "intervention.k" in run["axes"]}
    for row in rows(report / "figures" / "paper-figure-1-change-over-k.csv"):
        if row["role"] != "main":
            continue
        arm = next(arm for arm, k in ks.items() if float(row["k"]) == k)
        own = statistics.fmean(differences(arm, scores[row["group"]]))
        compare("change-over-k.csv", f"{arm}, {row['group']}", float(row["change"]), own)


class Tables(HTMLParser):
    """Rows of cells of the tables of a page, by the table's id."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: defaultdict[str, list[list[str]]] = defaultdict(list)
        self.table, self.in_cell, self.raised = "", False, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.table = dict(attrs).get("id") or ""
        elif tag == "tr":
            self.tables[self.table].append([])
        elif tag in ("th", "td"):
            self.in_cell = True
            self.tables[self.table][-1].append("")
        elif tag == "sup":
            self.raised = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self.in_cell = False
        elif tag == "sup":
            self.raised = False

    def handle_data(self, data: str) -> None:
        if self.in_cell and not self.raised:
            self.tables[self.table][-1][-1] += data


def check_page() -> None:
    page = Tables()
    page.feed((report / "report.html").read_text())
    head, *body = ([cell.strip() for cell in row] for row in page.tables["table-scores"])
    for row in body:
        cells = dict(zip(head, row, strict=True))
        for heading, score in (("ID accuracy (%)", "in_dist/accuracy"), ("OOD accuracy (%)", "ood/mean")):
            mean, _, deviation = cells[heading].partition(" ± ")
            values = of_score(row[0], score)
            compare("page", f"{row[0]}, {heading}", float(mean), 100 * statistics.fmean(values), 0.0051)
            if deviation:
                compare("page", f"{row[0]}, {heading}", float(deviation), 100 * statistics.stdev(values), 0.0051)
        gain = next(text for heading, text in cells.items() if heading.startswith("gain over"))
        if gain != "-":
            own = differences(row[0], "ood/mean")
            said = [float(part) for part in gain.replace("[", "").replace("]", "").replace(",", "").split()]
            for shown, number in zip(said, (statistics.fmean(own), *interval(own)), strict=True):
                compare("page gain", row[0], shown, 100 * number, 0.0051)


check_table("scores")
check_table("every-score")
check_kendall()
check_change_over_k()
check_page()
print(json.dumps({"compared": compared, "differing": differing}))
