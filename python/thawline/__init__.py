"""thawline: watches the early period of a training run and acts on it. Importing it is light; torch loads on use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thawline import integrations, probes
    from thawline.attached.attach import Probe, attach
    from thawline.attached.groups import groups_by_block
    from thawline.lockstep.session import TrainingStopped
    from thawline.wire.protocol import PROTOCOL_VERSION

__all__ = ["PROTOCOL_VERSION", "Probe", "TrainingStopped", "attach", "groups_by_block", "integrations", "probes"]

_HOMES = {
    "PROTOCOL_VERSION": "thawline.wire.protocol",
    "Probe": "thawline.attached.attach",
    "TrainingStopped": "thawline.lockstep.session",
    "attach": "thawline.attached.attach",
    "groups_by_block": "thawline.attached.groups",
}
_SUBPACKAGES = ("integrations", "probes")


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
