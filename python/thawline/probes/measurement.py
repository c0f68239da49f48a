"""From signals to numbers for the wire: with standard errors, and with those of the changes between boundaries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from thawline.probes.boundary_probe import Signal
from thawline.probes.history import EigenvectorHistory, SignalHistory
from thawline.probes.scope import Scope
from thawline.probes.standard_errors import interval_factor

# What the names of eigenvectors begin with in the state of a prober.
_EIGENVECTOR = "eigenvector/"


@dataclass(frozen=True)
class BlockValues:
    """One number of each block of which something was in scope, with its error, None where there is none to give.

    `seconds` are those that the blocks took beyond what the whole scope did.
    """

    values: Mapping[str, float]
    standard_errors: Mapping[str, float | None]
    seconds: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """One number for the wire. Errors are None where there is none to give; seconds count wall time.

    `degrees_of_freedom` are those of the standard error, few where it comes from few draws.
    A feature forward that several signals share is counted with the first of them. `blocks`: what it is of each block
    by itself, with scope `blocks`.
    """

    key: str
    value: float
    standard_error: float | None = None
    change_standard_error: float | None = None
    span_standard_error: float | None = None
    seconds: float = 0.0
    degrees_of_freedom: float = math.inf
    blocks: BlockValues | None = None

    def half_width(self, coverage: float = 0.95) -> float | None:
        """Half the width of the interval round the value that holds the truth with this probability (Student's t)."""
        factor = interval_factor(self.degrees_of_freedom, coverage)
        return None if self.standard_error is None else factor * self.standard_error


class MeasurementHistory:
    """Vectors of the last boundaries, kept for the errors of changes, and eigenvectors for searches to start from."""

    def __init__(self, every: int, tau: int, start: int) -> None:
        self._tau = tau
        self._signals = SignalHistory(every, tau, start)
        self._eigenvectors = EigenvectorHistory()

    def measurements(self, update: int, metric: str, scope: Scope, signal: Signal, seconds: float) -> list[Measurement]:
        """The signal of boundary `update` with its errors, then its companions; its vectors are kept for later ones."""

        def error(vector: Tensor | None) -> float | None:
            return None if vector is None or signal.error is None else signal.error(vector)

        def paired_error(back: int) -> float | None:
            partner = self._signals.partner(update, back, metric, scope.digest)
            return error(None if partner is None or signal.vector is None else signal.vector - partner)

        measurement = Measurement(
            f"probe/{metric}",
            signal.value,
            error(signal.vector),
            paired_error(1),
            paired_error(self._tau),
            seconds,
            signal.degrees,
        )
        if signal.vector is not None:
            self._signals.record(update, metric, scope.digest, signal.vector)
        if signal.eigenvector is not None:
            self._eigenvectors.record(update, scope.digest, signal.eigenvector)
        return [measurement, *(Measurement(f"probe/{name}", value) for name, value in signal.companions.items())]

    def earlier_eigenvector(self, update: int, scope: Scope) -> Tensor | None:
        """The eigenvector of the last boundary before `update`, if it was taken with the same scope."""
        return self._eigenvectors.before(update, scope.digest)

    def regrid(self, every: int) -> None:
        self._signals.regrid(every)

    def state_dict(self) -> dict[str, Tensor]:
        eigenvectors = {f"{_EIGENVECTOR}{name}": vector for name, vector in self._eigenvectors.state_dict().items()}
        return self._signals.state_dict() | eigenvectors

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        found = {name: tensor for name, tensor in state.items() if name.startswith(_EIGENVECTOR)}
        self._eigenvectors.load_state_dict({name.removeprefix(_EIGENVECTOR): tensor for name, tensor in found.items()})
        self._signals.load_state_dict({name: tensor for name, tensor in state.items() if name not in found})


def with_blocks(measured: list[Measurement], parts: Mapping[str, Signal], seconds: float) -> list[Measurement]:
    """A signal and its companions, each with what it is of the blocks; errors of changes only the whole scope has."""
    if not parts:
        return measured
    signal, *companions = measured
    values = {block: part.value for block, part in parts.items()}
    errors = {
        block: None if part.vector is None or part.error is None else part.error(part.vector)
        for block, part in parts.items()
    }
    found = [replace(signal, blocks=BlockValues(values, errors, seconds))]
    for companion in companions:
        name = companion.key.removeprefix("probe/")
        of_blocks = {block: part.companions[name] for block, part in parts.items() if name in part.companions}
        found.append(replace(companion, blocks=BlockValues(of_blocks, {})) if of_blocks else companion)
    return found
