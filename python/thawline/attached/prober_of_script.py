"""What measures the batches that a script gave to `attach`."""

from __future__ import annotations

from thawline.attached.arguments import Training
from thawline.config.run import AttachedConfig
from thawline.errors import UserError
from thawline.lockstep.settings_of_run import probe_settings
from thawline.probes import Prober, ProbeSet, UpdateRule


def require_probe(training: Training, config: AttachedConfig) -> None:
    """Raises UserError where k is to be found by a signal that there are no batches for."""
    if training.probe is None and config.needs_probe:
        raise UserError(
            "invalid_argument",
            "attach: `probe` is None, but this run has to find k by a signal",
            "give `probe` the batches to measure it on, or fix k, for example `intervention.k=200`",
        )


def build_prober(training: Training, config: AttachedConfig) -> Prober | None:
    """The prober of the script's batches; None where nothing is measured. Raises what `Prober.check` does."""
    probe, block_map = training.probe, training.block_map
    if probe is None or config.probe is None:
        return None
    settings = probe_settings(config.seed, config.probe, block_map)
    rule = UpdateRule(training.optimizer)
    prober = Prober(training.model, probe.objective, ProbeSet(probe.batches), settings, update_rule=rule)
    # Now, and not at the first boundary, which may come late.
    prober.check()
    return prober
