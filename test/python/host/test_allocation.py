import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

# Counts the page faults of 5 blocks of 36 MiB (glibc by itself keeps up to 32), each written to and freed: 9216 pages a
# block where none is kept. After 15 others: an aligned block does not fit into its own gap, so the first ones take new
# memory each.
MEASURE = """
import resource, sys
from thawline.host.allocation import keep_freed_memory
print(keep_freed_memory() if "keep" in sys.argv else None)
for _ in range(15):
    write_block()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    write_block()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

BY_PYTORCH = """
import torch
def write_block():
    torch.ones(9 * 2**20).sum()
"""

# As PyTorch does it, without what importing it takes.
BY_ITSELF = """
import ctypes
libc, block = ctypes.CDLL(None), ctypes.c_void_p()
def write_block():
    libc.posix_memalign(ctypes.byref(block), 64, 36 * 2**20)
    libc.memset(block, 1, 36 * 2**20)
    libc.free(block)
"""

PACKAGES = Path(__file__).parents[3] / "python"

glibc_only = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of another C library")


def measure(program, *arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    environment["PYTHONPATH"] = str(PACKAGES)
    command = [sys.executable, "-c", program + MEASURE, *arguments]
    finished = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    told, faults = finished.stdout.split()
    return told, int(faults)


@glibc_only
def test_freed_memory_is_used_again_instead_of_mapped_anew():
    _, usual = measure(BY_PYTORCH)
    told, kept = measure(BY_PYTORCH, "keep")
    assert told == "True"
    assert kept < 100 < usual


@glibc_only
@pytest.mark.parametrize("variable", ["MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX"])
def test_an_allocator_that_the_user_set_up_is_left_alone(variable):
    assert measure(BY_ITSELF, "keep")[1] < 100
    told, faults = measure(BY_ITSELF, "keep", **{variable: "1000000"})
    assert told == "False"
    assert faults > 100


@glibc_only
def test_tunables_of_glibc_count_as_set_up():
    told, _ = measure(BY_ITSELF, "keep", GLIBC_TUNABLES="glibc.malloc.check=0")
    assert told == "False"
