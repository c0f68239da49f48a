import os
import time
from functools import partial

import pytest
import torch
from benchmarks.own_process import OwnProcess
from benchmarks.timing import Clock, take_turns

CLOCK = Clock(torch.device("cpu"))


# Run there: a new process does not know this file.
LEAVE = """
import os
import resource
from pathlib import Path
import torch
for _ in range(15):
    torch.ones(9 * 2**20).sum()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(9 * 2**20).sum()
Path({path!r}).write_text(f"{{os.getpid()}} {{resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before}}")
"""


def leaving(path):
    """Builds an action that leaves the number of its process in a file, and its page faults for 36 MiB."""
    return partial(partial, exec, LEAVE.format(path=str(path)))


def test_turns_are_taken_in_processes_of_their_own_that_end_with_the_comparison(tmp_path):
    files = (tmp_path / "kept", tmp_path / "given back")
    with (
        OwnProcess(leaving(files[0]), CLOCK, 1, as_worker=True) as kept,
        OwnProcess(leaving(files[1]), CLOCK, 1, as_worker=False) as given_back,
    ):
        taken = take_turns({"kept": kept, "given back": given_back}, 2, CLOCK)
    assert [len(seconds) for seconds in taken.values()] == [2, 2]
    (first, few), (second, many) = (file.read_text().split() for file in files)
    assert len({int(first), int(second), os.getpid()}) == 3
    assert int(few) < 100 < int(many)
    for process in (int(first), int(second)):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


# Sleeps, and from the second time on fails.
SLEEP = """
import builtins, time
builtins.turns = getattr(builtins, "turns", 0) + 1
if builtins.turns > 1:
    raise ValueError("no second turn")
time.sleep(0.05)
"""


def test_the_process_times_its_action_and_not_the_way_to_it_and_its_failure_ends_the_comparison():
    with OwnProcess(partial(partial, exec, SLEEP), CLOCK, 1, as_worker=False) as sleeper:
        began = time.perf_counter()
        taken = sleeper.seconds()
        assert 0.05 <= taken <= time.perf_counter() - began
        with pytest.raises(ChildProcessError):
            sleeper.seconds()
