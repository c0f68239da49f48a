"""What the probes of a run are asked to measure, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from thawline.errors import UserError
from thawline.probes.fisher import Estimator
from thawline.probes.label_source import Labels
from thawline.probes.noise import NoiseKind
from thawline.probes.objective import MICRO_BATCH
from thawline.probes.scope import ScopeKind
from thawline.probes.search_precision import Precision
from thawline.probes.sharpness import SearchKind

# Enough for 2048 windows of 384 tokens, not one of them padding, at the width of XLM-R large: 3 GiB.
DEFAULT_CACHE_BYTES = 4 * 2**30
# The values of all of them have to fit into the frame of one message.
MOST_BLOCKS = 128


@dataclass(frozen=True)
class ProbeSettings:
    """What decides a value besides the weights and the points.

    Defaults are the paper's, where it states them, but for two: sharpness_avg takes its `draws` in antithetic pairs,
    and sharpness_worst is searched for on the sphere, by at most `iterations` gradients a batch. What the paper did is
    noise="independent", draws=15, search="apgd". `search_tolerance` is that of the sphere alone: the share of what was
    found which two steps have to gain for the search to go on. `worst_value="last"` is of Auto-PGD alone.

    `seed` fixes labels and noise for the run. `tau` and `every` are the detector's window and the updates between two
    boundaries: `span_standard_error` compares with the boundary tau points ago; `start` is the boundary of point 0.
    `all_parameter_names` lists the parameters of blocks and head, for scope `all`; `blocks` has those of each block by
    its name, the head first, for scope `blocks`: what trains, and each block of it as well. `search_precision` is that
    of the search for the worst case through the network; all that is reported is computed in float32. `cache_bytes`
    bounds what the frozen layers give for the probe set, kept from one measurement to the next; 0 keeps nothing.
    Whether per-example gradients add up to autograd's gradient is looked at when a scope is first measured, and again
    at every `check_every`-th measurement, when what was kept is compared with a fresh pass as well; 0: never again.
    `micro_batch` is how many examples go through the network at once: it decides speed and the last digits. Raises
    UserError for settings that make no sense.
    """

    seed: int
    scope: ScopeKind = "trainable"
    all_parameter_names: Sequence[str] = ()
    labels: Labels = "sampled"
    estimator: Estimator = "per_example"
    rho: float = 0.01
    draws: int = 16
    noise: NoiseKind = "antithetic"
    iterations: int = 15
    search: SearchKind = "sphere"
    search_tolerance: float = 0.005
    worst_value: Literal["best", "last"] = "best"
    tau: int = 3
    every: int = 10
    start: int = 1
    search_precision: Precision = "float32"
    cache_bytes: int = DEFAULT_CACHE_BYTES
    micro_batch: int = MICRO_BATCH
    check_every: int = 0
    blocks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("rho", "draws", "iterations", "tau", "every", "start", "micro_batch"):
            if not getattr(self, name) > 0:
                raise UserError(f"probe_{name}", f"probe {name} is {getattr(self, name)}", "set it to a number above 0")
        for name in ("cache_bytes", "check_every", "search_tolerance"):
            if not getattr(self, name) >= 0:
                raise UserError(f"probe_{name}", f"probe {name} is {getattr(self, name)}", "set it to 0 or more")
        if self.noise == "antithetic" and self.draws % 2:
            raise UserError(
                "probe_draws",
                f"probe.draws is {self.draws}, an odd number, but probe.noise is antithetic, which draws pairs",
                f"set probe.draws to {self.draws + 1}, or probe.noise to independent",
            )
        if self.search == "sphere" and self.worst_value == "last":
            raise UserError(
                "probe_worst_value",
                "probe.worst_value is last, but probe.search is sphere, whose last step is its best",
                "set probe.search to apgd, or probe.worst_value to best",
            )
        if self.scope == "blocks" and not 0 < len(self.blocks) <= MOST_BLOCKS:
            raise UserError(
                "probe_scope",
                f"probe.scope is blocks, for {len(self.blocks)} blocks with the head; it is for 1 to {MOST_BLOCKS}",
                "set probe.scope to trainable, or put layers together in larger blocks",
            )
        if self.estimator == "batch" and self.labels == "exact":
            raise UserError(
                "probe_labels",
                "probe.estimator is batch, which draws one label per point, but probe.labels is exact",
                "set probe.labels to sampled, or probe.estimator to per_example",
            )
