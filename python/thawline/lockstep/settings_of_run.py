"""From the run's configuration to the probes' settings: one place, so that no training measures by other rules."""

from __future__ import annotations

from thawline.config.run import SignalConfig
from thawline.probes import ProbeSettings
from thawline.steering.blocks import BlockMap

_OPTIONS = (
    "scope",
    "rho",
    "draws",
    "noise",
    "iterations",
    "search",
    "search_tolerance",
    "worst_value",
    "labels",
    "estimator",
)
# Runs of before there was a choice name neither, but an option that goes with it: what they did.
_BEFORE_THE_CHOICE = {"noise": ("draws", "independent"), "search": ("iterations", "apgd")}


def probe_settings(seed: int, probe: SignalConfig, block_map: BlockMap) -> ProbeSettings:
    """The probes' settings by the section `probe`; scope `all` means blocks and head.

    Raises UserError for settings that make no sense.
    """
    options = {name: getattr(probe, name) for name in _OPTIONS}
    for name, (beside, value) in _BEFORE_THE_CHOICE.items():
        if options[name] is None and options[beside] is not None:
            options[name] = value
    blocks = {block.name: block.parameter_names for block in (block_map.head, *block_map.blocks)}
    return ProbeSettings(
        seed=seed,
        all_parameter_names=[name for names in blocks.values() for name in names],
        blocks=blocks,
        tau=probe.tau,
        every=probe.every,
        start=probe.start,
        check_every=probe.check_every,
        cache_bytes=round(probe.cache_gib * 2**30),
        **{name: value for name, value in options.items() if value is not None},
    )
