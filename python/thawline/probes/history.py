"""Vectors kept from boundary to boundary: behind the errors of changes, and to start the search of the Hessian from."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class SignalHistory:
    """Per-point (and per-draw) vectors of the newest boundary and of the tau before it.

    Point 0 of a signal is boundary `start` and point j is boundary start - 1 + j * every; with every = 1, boundary
    `start` is both, and counts once. Measuring a boundary again replaces what was kept of it.
    """

    every: int
    tau: int
    start: int = 1
    _vectors: dict[tuple[int, str], tuple[str, Tensor]] = field(default_factory=dict)

    def record(self, update: int, metric: str, scope_digest: str, vector: Tensor) -> None:
        """Keeps the vector of boundary `update` if it is a point; drops those that no later point compares with."""
        if self._position(update) is None:
            return
        self._vectors[update, metric] = (scope_digest, vector)
        self._drop_old()

    def regrid(self, every: int) -> None:
        """From here on points are `every` updates apart; what was kept of boundaries that are none then is dropped."""
        if every == self.every:
            return
        self.every = every
        self._vectors = {key: entry for key, entry in self._vectors.items() if self._position(key[0]) is not None}
        self._drop_old()

    def partner(self, update: int, back: int, metric: str, scope_digest: str) -> Tensor | None:
        """The vector of the point `back` points before `update`; None if it is missing or of another scope."""
        position = self._position(update)
        if position is None or position < back:
            return None
        found_digest, vector = self._vectors.get((self._update(position - back), metric), ("", None))
        return vector if found_digest == scope_digest else None

    def state_dict(self) -> dict[str, Tensor]:
        """One tensor per entry, named update/metric/scope digest."""
        return {f"{update}/{metric}/{digest}": vector for (update, metric), (digest, vector) in self._vectors.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._vectors = {}
        for name, vector in state.items():
            update, metric, digest = name.split("/")
            self._vectors[int(update), metric] = (digest, vector)

    def _drop_old(self) -> None:
        newest = max((self._ordinal(kept) for kept, _ in self._vectors), default=0)
        self._vectors = {
            key: entry for key, entry in self._vectors.items() if self._ordinal(key[0]) >= newest - self.tau
        }

    def _position(self, update: int) -> int | None:
        """Which point of a signal the boundary is; None for a boundary that is no point, as a recalled one."""
        index = update - self.start + 1
        if index == 1:
            return 0
        if index < 1 or index % self.every:
            return None
        return index // self.every - (1 if self.every == 1 else 0)

    def _ordinal(self, update: int) -> int:
        position = self._position(update)
        assert position is not None
        return position

    def _update(self, position: int) -> int:
        index = 1 if position == 0 else (position + 1 if self.every == 1 else position * self.every)
        return self.start - 1 + index


@dataclass
class EigenvectorHistory:
    """The eigenvectors of the two newest boundaries, from which the next search starts.

    Two, because a boundary that is measured again after a resume must start where it started the first time: from the
    boundary before it, not from its own result.
    """

    _vectors: dict[int, tuple[str, Tensor]] = field(default_factory=dict)

    def record(self, update: int, scope_digest: str, vector: Tensor) -> None:
        earlier = sorted(kept for kept in self._vectors if kept < update)[-1:]
        self._vectors = {kept: self._vectors[kept] for kept in earlier} | {update: (scope_digest, vector.cpu())}

    def before(self, update: int, scope_digest: str) -> Tensor | None:
        """The eigenvector of the last boundary before `update`; None without one, or if it is of another scope."""
        earlier = [kept for kept in self._vectors if kept < update]
        found_digest, vector = self._vectors[max(earlier)] if earlier else ("", None)
        return vector if found_digest == scope_digest else None

    def state_dict(self) -> dict[str, Tensor]:
        """One tensor per entry, named update/scope digest."""
        return {f"{update}/{digest}": vector for update, (digest, vector) in self._vectors.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self._vectors = {}
        for name, vector in state.items():
            update, digest = name.split("/")
            self._vectors[int(update)] = (digest, vector)
