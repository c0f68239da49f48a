"""thawline: watches the early period of a training run and acts on it. Importing it is light; torch loads on use."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thawline.attached import Probe, attach
    from thawline.protocol import PROTOCOL_VERSION
    from thawline.session import TrainingStopped

__all__ = ["PROTOCOL_VERSION", "Probe", "TrainingStopped", "attach"]

_HOMES = {
    "PROTOCOL_VERSION": "thawline.protocol",
    "Probe": "thawline.attached",
    "TrainingStopped": "thawline.session",
    "attach": "thawline.attached",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
