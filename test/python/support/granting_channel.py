"""A controller in one object, for tests of the worker's side: it grants from change to change and refuses a misstep."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import UNSET

from thawline.wire.codec import encode
from thawline.wire.protocol import (
    PROTOCOL_VERSION,
    Boundary,
    Checkpointed,
    ControllerBody,
    Grant,
    Hello,
    Kept,
    Order,
    Ready,
    ResumePoint,
    Stop,
    Welcome,
    WorkerBody,
)
from thawline.wire.warming_up import WarmingUp

Body = TypeVar("Body", bound=WorkerBody)


NOWHERE = "/nowhere"


class GrantingChannel:
    """Answers `hello`, `ready` and each `boundary`; every body passes the real codec.

    `trainable` and `factors` say what holds from which update on. Signals `metrics` are asked for at update 1 and at
    multiples of `probe_every`. `orders` are given at the boundaries that it names, and `end_orders` at the last one.
    `stop` ends the run before the update that it names. The best weights are those kept last, at first `kept`. Blocks
    that `trainable` adds later warm up over `release_warmup` updates.
    """

    def __init__(
        self,
        trainable: Mapping[int, Sequence[str]],
        *,
        factors: Mapping[int, float] | None = None,
        release_warmup: int | None = None,
        metrics: Sequence[str] = (),
        probe_every: int | None = None,
        orders: Mapping[int, Sequence[Order]] | None = None,
        end_orders: Sequence[Order] = (),
        stop: tuple[int, Literal["interrupted", "operator"], bool] | None = None,
        run_folder: str = NOWHERE,
        config: dict[str, Any] | None = None,
        resume_from: Checkpointed | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.recalled = threading.Event()
        self.sent: list[WorkerBody] = []
        self.received: list[ControllerBody] = []
        self._trainable = trainable
        self._factors = {1: 1.0} | dict(factors or {})
        self._release_warmup = release_warmup
        self._metrics = list(metrics)
        self._probe_every = probe_every
        self._orders = {update: list(due) for update, due in (orders or {}).items()}
        self._end_orders = list(end_orders)
        self._stop = stop
        self._run_folder = run_folder
        if run_folder != NOWHERE:
            # As a controller does: a worker makes no run folder, since one that is gone must stay so.
            Path(run_folder).mkdir(parents=True, exist_ok=True)
        self._config = config or {}
        self.resume_point = resume_from and ResumePoint(resume_from.path, resume_from.step, resume_from.manifest_sha256)
        self._kept = kept
        self._num_updates: int | None = None
        self._measured_at = 0

    def sent_of(self, kind: type[Body]) -> list[Body]:
        return [body for body in self.sent if isinstance(body, kind)]

    def send(self, body: WorkerBody, *, droppable: bool = False) -> None:
        encode(body, run="granting", attempt=1, session="granting", seq=1)
        self.sent.append(body)

    def receive(self, timeout: float | None = None) -> ControllerBody:
        answer = self._answer(self.sent[-1])
        self.received.append(answer)
        return answer

    def close(self, linger: float = 2.0) -> None:
        pass

    def _answer(self, body: WorkerBody) -> ControllerBody:
        match body:
            case Hello():
                return Welcome(PROTOCOL_VERSION, self._run_folder, self._config, self.resume_point)
            case Ready():
                self._num_updates = body.num_updates
                return self._grant(body.resumed_from + 1, stay=True)
            case Boundary():
                return self._proceed(body)
            case _:
                raise AssertionError(f"nobody answers {body}")

    def _proceed(self, boundary: Boundary) -> ControllerBody:
        granted = self.received[-1]
        assert isinstance(granted, Grant)
        update = boundary.update
        assert not boundary.recalled
        if not boundary.recorded:
            assert update == granted.until, f"stopped before update {update}, granted until {granted.until}"
        if update == granted.until:
            self._measured_at = update
        if self._stop is not None and self._stop[0] == update:
            return Stop(self._stop[1], self._stop[2])
        if self._num_updates is None or update <= self._num_updates:
            return self._grant(update, orders=self._orders.get(update, []))
        if self._end_orders:
            orders, self._end_orders = self._end_orders, []
            return self._grant(update, orders=orders, stay=True)
        return Stop("finished", False)

    def _grant(self, update: int, *, orders: Sequence[Order] = (), stay: bool = False) -> Grant:
        until = update if stay else self._next_boundary(update)
        holding = max(1, update - 1 if stay else update)
        return Grant(
            until,
            list(self._trainable[max(start for start in self._trainable if start <= holding)]),
            self._factors[max(start for start in self._factors if start <= holding)],
            list(orders),
            self._metrics if until is not None and self._is_point(until) and self._measured_at != until else [],
            best=self._best() if "restore_best" in orders else UNSET,
            warming_up=self._warming_up(holding) or UNSET,
        )

    def _warming_up(self, update: int) -> list[WarmingUp]:
        warmup = self._release_warmup
        if warmup is None:
            return []
        starts = sorted(self._trainable)
        released = [
            WarmingUp(
                [block for block in self._trainable[start] if block not in self._trainable[before]], start, warmup
            )
            for before, start in itertools.pairwise(starts)
        ]
        return [one for one in released if one.since <= update < one.since + warmup - 1]

    def _best(self) -> ResumePoint:
        kept = next(reversed(self.sent_of(Kept)), self._kept)
        assert kept is not None, "nothing was kept"
        return ResumePoint(kept.path, kept.step, kept.manifest_sha256)

    def _next_boundary(self, update: int) -> int | None:
        candidates = [*self._trainable, *self._factors, *self._orders]
        if self._stop is not None:
            candidates.append(self._stop[0])
        if self._probe_every is not None:
            candidates.append(update - update % self._probe_every + self._probe_every)
        if self._num_updates is not None:
            candidates = [c for c in candidates if c <= self._num_updates] + [self._num_updates + 1]
        return min((candidate for candidate in candidates if candidate > update), default=None)

    def _is_point(self, update: int) -> bool:
        return self._probe_every is not None and (update == 1 or update % self._probe_every == 0)


def kinds(sent: Sequence[WorkerBody]) -> list[str]:
    return [type(body).__name__ for body in sent]


def boundaries(sent: Sequence[WorkerBody]) -> list[tuple[int, bool]]:
    """Update of each boundary, and whether it was a recalled one."""
    return [(body.update, body.recalled) for body in sent if isinstance(body, Boundary)]
