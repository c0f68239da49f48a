"""thawline: watches the early period of a training run and acts on it. Importing it is light; torch loads on use."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thawline.attached import Probe, attach
    from thawline.protocol import PROTOCOL_VERSION

__all__ = ["PROTOCOL_VERSION", "Probe", "attach"]

_HOMES = {"PROTOCOL_VERSION": "thawline.protocol", "Probe": "thawline.attached", "attach": "thawline.attached"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
