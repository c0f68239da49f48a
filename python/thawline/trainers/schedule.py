"""The learning rate over a run, as a share of the base rate."""

from __future__ import annotations

from collections.abc import Callable

from thawline.config.run import ConstantSchedule, LinearSchedule, LinearTailSchedule, Schedule


def schedule_factor(schedule: Schedule, num_updates: int) -> Callable[[int], float]:
    """The schedule as a function from update (1..num_updates) to a share of the base rate.

    constant is the paper's (Table 5). linear_tail is constant, then falls linearly over the last `fraction` of the
    updates, so that the update after the last one would have rate 0. linear does so over all of them: the paper's for
    text, without warm-up, as transformers' `linear` has it.
    """
    match schedule:
        case ConstantSchedule():
            return lambda update: 1.0
        case LinearTailSchedule(fraction=fraction):
            tail = max(1, round(fraction * num_updates))
            return lambda update: min(1.0, (num_updates + 1 - update) / tail)
        case LinearSchedule():
            return lambda update: (num_updates + 1 - update) / num_updates
