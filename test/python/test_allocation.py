import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

# Counts the page faults of 20 blocks of 64 MiB, each written to and freed: 16384 pages a block where none is kept.
# After 20 others: an aligned block does not fit into its own gap, so the first ones take new memory each.
MEASURE = """
import resource, sys
import torch
from thawline.allocation import freed_memory_is_kept, keep_freed_memory
print(keep_freed_memory() if "keep" in sys.argv else None)
print(freed_memory_is_kept())
for _ in range(20):
    torch.ones(2**24).sum()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(2**24).sum()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

PACKAGES = Path(__file__).parents[2] / "python"

glibc_only = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of another C library")


def measure(*arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    environment["PYTHONPATH"] = str(PACKAGES)
    command = [sys.executable, "-c", MEASURE, *arguments]
    finished = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    told, kept, faults = finished.stdout.split()
    assert (told == "True") == (kept == "True")
    return told, int(faults)


@glibc_only
def test_freed_memory_is_used_again_instead_of_mapped_anew():
    _, usual = measure()
    told, kept = measure("keep")
    assert told == "True"
    assert kept < 100 < usual


@glibc_only
@pytest.mark.parametrize("variable", ["MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX"])
def test_an_allocator_that_the_user_set_up_is_left_alone(variable):
    told, faults = measure("keep", **{variable: "1000000"})
    assert told == "False"
    assert faults > 100


@glibc_only
def test_tunables_of_glibc_count_as_set_up():
    told, _ = measure("keep", GLIBC_TUNABLES="glibc.malloc.check=0")
    assert told == "False"
