"""From the run's configuration to the probes' settings: one place, so that no training measures by other rules."""

from __future__ import annotations

from thawline.config.run import SignalConfig
from thawline.probes import ProbeSettings
from thawline.steering.blocks import BlockMap

_OPTIONS = ("scope", "rho", "draws", "iterations", "worst_value", "labels", "estimator")


def probe_settings(seed: int, probe: SignalConfig, block_map: BlockMap) -> ProbeSettings:
    """The probes' settings by the section `probe`; scope `all` means blocks and head.

    Raises UserError for settings that make no sense.
    """
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
        **{name: getattr(probe, name) for name in _OPTIONS if getattr(probe, name) is not None},
    )
