"""The kinds of messages, and who sends them: told from the bodies, of which `protocol` has one class a kind."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias, get_args

from thawline.wire.protocol import Closed, ControllerBody, WorkerBody

Body: TypeAlias = WorkerBody | ControllerBody
Sender: TypeAlias = Literal["worker", "controller"]


def kind_of(body: type[Body]) -> str:
    """`grant` for `Grant`; `closed` has three forms, by its outcome."""
    return "closed" if body in get_args(Closed) else body.__name__.lower()


KINDS_OF_SENDER: Final[dict[Sender, frozenset[str]]] = {
    "worker": frozenset(map(kind_of, get_args(WorkerBody))),
    "controller": frozenset(map(kind_of, get_args(ControllerBody))),
}
BODIES: Final[dict[str, Any]] = {kind_of(body): body for body in get_args(Body)} | {"closed": Closed}
"""What msgspec decodes the body of each kind as."""
