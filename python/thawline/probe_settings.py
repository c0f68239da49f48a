"""From the run's configuration to the probes' settings: one place, so that no training measures by other rules."""

from __future__ import annotations

from thawline.blocks import BlockMap
from thawline.config import InterventionConfig, SignalConfig
from thawline.probes import ProbeSettings


def probe_settings(
    seed: int, probe: SignalConfig, intervention: InterventionConfig, block_map: BlockMap
) -> ProbeSettings:
    """What decides a value besides the weights and the points; scope `all` is blocks and head.

    Raises UserError for settings that make no sense.
    """
    names = [name for block in (block_map.head, *block_map.blocks) for name in block.parameter_names]
    return ProbeSettings(
        seed=seed,
        scope=probe.scope,
        all_parameter_names=names,
        rho=probe.rho,
        draws=probe.draws,
        iterations=probe.iterations,
        worst_value=probe.worst_value,
        labels=probe.labels,
        estimator=probe.estimator,
        tau=intervention.tau,
        every=probe.every,
        start=intervention.first_update,
        cache_bytes=round(probe.cache_gib * 2**30),
    )
