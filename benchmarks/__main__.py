"""`npm run bench -- fisher --widths 8,16`, or with PYTHONPATH=python `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from benchmarks import (
    controller,
    fisher,
    freed_memory,
    head_only,
    long_runs,
    report,
    sharpness_avg,
    sharpness_worst,
    text,
    train,
    transformers,
)
from benchmarks.rows import Row, print_row, print_summary
from benchmarks.settings import BenchmarkSettings
from benchmarks.timing import Clock
from thawline.host.allocation import keep_freed_memory
from thawline.probes.objective import MICRO_BATCH, MICRO_BATCH_WHERE_MEMORY_IS_KEPT

PARTS: dict[str, Callable[[BenchmarkSettings], Iterator[Row]]] = {
    module.PART: module.rows
    for module in (
        train,
        freed_memory,
        sharpness_worst,
        sharpness_avg,
        fisher,
        transformers,
        head_only,
        controller,
        long_runs,
        report,
        text,
    )
}


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run bench --", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="tiny, once: shows that a part runs, not how fast it is")
    parser.add_argument("--widths", type=_widths, help="for example 8,16,64")
    parser.add_argument("--points", type=int, help="images in the batch of a probe; text: questions, and probe windows")
    parser.add_argument("--rounds", type=int, help="how often the sides take turns")
    parser.add_argument("--encoder", type=Path, metavar="FOLDER", help="text: a pretrained encoder (default: random)")
    parser.add_argument("--questions", type=Path, metavar="FOLDER", help="text: of xquad.en.json (default: made up)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: of one thread, for a machine with busy neighbours",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    options = parser.parse_args(arguments)
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; choose from {', '.join(PARTS)}")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch finds no CUDA device; leave out --device cuda")
    if options.clock == "cpu" and (options.threads != 1 or options.device != "cpu"):
        parser.error("--clock cpu counts one thread of the CPU; leave out --threads and --device")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """A missed target is said, not an error: the exit code tells only whether the benchmark ran."""
    options = parse_arguments(arguments)
    torch.set_num_threads(options.threads)
    micro_batch = MICRO_BATCH_WHERE_MEMORY_IS_KEPT if keep_freed_memory() else MICRO_BATCH
    clock = Clock(torch.device(options.device), options.clock)
    settings = BenchmarkSettings(
        clock,
        options.threads,
        options.quick,
        options.widths,
        options.points,
        options.rounds,
        options.encoder,
        options.questions,
        micro_batch,
    )
    print("Ratios are medians [quartiles] over n rounds in which both sides take turns; seconds likewise.\n")
    rows: list[Row] = []
    for part in options.parts or PARTS:
        for row in PARTS[part](settings):
            rows.append(replace(row, target=None) if options.quick else row)
            print_row(rows[-1])
    print_summary(rows)
    if options.json is not None:
        report = {"host": host(), "rows": [asdict(row) | {"met": row.met} for row in rows]}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def host() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }


def _widths(text: str) -> tuple[int, ...]:
    return tuple(int(width) for width in text.split(","))


if __name__ == "__main__":
    main()
