"""What the code of a model reads besides its modules: variables of a file, of a class, of an enclosing function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from torch import nn

# A forward, a function that it calls, and one that that calls.
DEPTH = 3
# Libraries whose variables no training sets from one boundary to the next.
_FOREIGN = {"torch", "torchvision", "transformers", "peft", "timm", *sys.stdlib_module_names} - {"__main__"}


def read_by(modules: Iterable[nn.Module]) -> Iterator[tuple[str, object]]:
    """(name, value) of what the methods of the modules' classes refer to; of each class once, in a fixed order."""
    kinds = dict.fromkeys(kind for module in modules for kind in type(module).__mro__)
    seen: set[CodeType] = set()
    for kind in kinds:
        if not _is_foreign(kind):
            for name, value in vars(kind).items():
                function = getattr(value, "__func__", value)
                if isinstance(function, FunctionType):
                    yield from _read(function, seen, DEPTH)
                elif not name.startswith("__") and not callable(value) and not hasattr(value, "__get__"):
                    yield f"{kind.__qualname__}.{name}", value


def _read(function: FunctionType, seen: set[CodeType], depth: int) -> Iterator[tuple[str, object]]:
    if function.__code__ in seen or depth == 0 or _is_foreign(function):
        return
    seen.add(function.__code__)
    names = dict.fromkeys(_names(function.__code__))
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    enclosed = {name: cell.cell_contents for name, cell in cells if _is_full(cell)}
    for name, value in [(name, function.__globals__[name]) for name in names if name in function.__globals__] + [
        *enclosed.items()
    ]:
        if isinstance(value, FunctionType):
            yield from _read(value, seen, depth - 1)
        elif isinstance(value, ModuleType | type):
            if not _is_foreign(value):
                own = vars(value)
                for part in names:
                    if part in own and isinstance(own[part], FunctionType):
                        yield from _read(own[part], seen, depth - 1)
                    elif part in own and not callable(own[part]) and not isinstance(own[part], ModuleType):
                        yield f"{name}.{part}", own[part]
        elif not isinstance(value, nn.Module) and not callable(value) and not _is_foreign(type(value), builtins=False):
            yield name, value


def _names(code: CodeType) -> Iterator[str]:
    """Names of variables and attributes in the code, that of inner functions included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_foreign(thing: Callable[..., Any] | ModuleType | type, *, builtins: bool = True) -> bool:
    name = thing.__name__ if isinstance(thing, ModuleType) else (getattr(thing, "__module__", None) or "")
    top = name.partition(".")[0]
    # Numbers, texts and containers are of the builtins, and tensors of PyTorch.
    return top in _FOREIGN and (builtins or top not in ("builtins", "torch", "types", "collections"))


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
