"""A metric of each block by itself, beside that of the whole scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from thawline.probes.boundary_probe import BoundaryProbe, Signal
from thawline.probes.head_features import HeadFeatures, head_features
from thawline.probes.scope import Scope, measuring


class BlockSignals:
    """The metrics of the blocks of one boundary.

    Where one block is all that is in scope, its values are those of the whole. tr(F) and the gradient norm of all
    blocks come out of the passes for the whole. Everything else is measured again for each block, which alone is then
    differentiated: as many passes of the layers from the lowest block in scope up as for the whole, block by block. A
    block that is one linear head takes a single one.
    """

    def __init__(self, whole: BoundaryProbe) -> None:
        self._whole = whole
        self._features: dict[str, HeadFeatures | None] = {}

    def measure(self, measure: Callable[[BoundaryProbe], Signal | None], signal: Signal) -> dict[str, Signal]:
        """By block; `signal` is what `measure` gave for the whole."""
        found: dict[str, Signal] = {}
        for block, scope in self._whole.blocks.items():
            part = self._part(block, scope, measure, signal)
            if part is not None:
                found[block] = part
        return found

    def _part(
        self, block: str, scope: Scope, measure: Callable[[BoundaryProbe], Signal | None], signal: Signal
    ) -> Signal | None:
        whole = self._whole
        if _is_all_of(scope, whole.scope.parameters):
            return signal
        if block in signal.parts:
            return signal.parts[block]
        with measuring(whole.model, scope):
            if block not in self._features:
                self._features[block] = head_features(
                    whole.model, whole.objective, whole.probe_set, scope, whole.poll, whole.settings.micro_batch
                )
            features = self._features[block]
            return measure(replace(whole, scope=scope, features=features, earlier_eigenvector=None, blocks={}))


def _is_all_of(scope: Scope, parameters: Iterable[object]) -> bool:
    return set(map(id, scope.parameters)) == set(map(id, parameters))
