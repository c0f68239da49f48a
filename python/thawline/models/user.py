"""A model of the user's own, built by the function that an import path (`my_package.my_module:build`) names.

The function is called once, by keyword, and returns the model:

    def build(num_classes: int, in_channels: int, image_size: tuple[int, int], **options) -> nn.Module: ...

`image_size` is (height, width). The model maps images float32 [n, in_channels, height, width], normalised and in
channels-last memory format, to logits [n, num_classes]. Its weights are drawn from the global generators (of PyTorch,
NumPy and Python), which are seeded, so that they are a function of the run's seed.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import random
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thawline.config.run import UserModelConfig
from thawline.errors import UserCodeError, UserError
from thawline.eval_mode import eval_mode
from thawline.models.family import ImageTask, ModelFamily
from thawline.steering.blocks import BlockMap, blocks_from_patterns

# Frames of these are not the user's: this package, and what carries out an import.
_OUR_PLACES = (
    f"{Path(__file__).parents[1]}{os.sep}",
    f"{Path(importlib.__file__).parent}{os.sep}",
    "<frozen importlib",
)


def build_user_model(
    import_path: str, folder: str, options: Mapping[str, object], *, batch: Tensor, num_classes: int
) -> nn.Module:
    """The model that the function makes; it has read `batch`, images [n, C, H, W], so it has its final parameters.

    The module is looked for in `folder`, then on the Python path. Draws from the global generators, which the caller
    seeds. Raises UserError `invalid_model` for a path that leads nowhere, for options that the function does not take
    and for a result that is no model of these classes; UserCodeError where the user's code raised.
    """
    _seed_other_generators()
    function = _find(import_path, folder)
    _, in_channels, *image_size = batch.shape
    sizes = {"num_classes": num_classes, "in_channels": in_channels, "image_size": tuple(image_size)}
    _check_arguments(import_path, function, sizes, options)
    with _blaming(f"`{import_path}` raised"):
        model = function(**sizes, **options)
    if not isinstance(model, nn.Module):
        raise _invalid(f"`{import_path}` returned {_kind_of(model)}, no torch.nn.Module", "let it return the model")
    _check_logits(import_path, model, batch, num_classes)
    return model


def _seed_other_generators() -> None:
    """Initialisation that draws from NumPy or Python is as much a function of the seed as PyTorch's own."""
    seed = torch.initial_seed()
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _find(import_path: str, folder: str) -> Callable[..., Any]:
    module_name, _, path = import_path.partition(":")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        with _blaming(f"the import of `{module_name}` raised", letting_pass=module_name):
            found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise _invalid(
            f"`model.kind` is `{import_path}`, but there is no module `{error.name}` in {folder} or on the Python path",
            "set `model.folder` to the folder that holds it",
        ) from None
    for name in path.split("."):
        if not hasattr(found, name):
            place = getattr(sys.modules[module_name], "__file__", None) or module_name
            near = difflib.get_close_matches(name, dir(found), n=1)
            hint = f"did you mean `{near[0]}`?" if near else "`model.kind` is `module:function`"
            raise _invalid(f"`model.kind` is `{import_path}`, but {place} has no `{name}`", hint)
        found = getattr(found, name)
    if not callable(found):
        raise _invalid(f"`model.kind` is `{import_path}`, which is {_kind_of(found)}", "name a function, or a class")
    _require_definition(import_path, module_name, found)
    return found  # type: ignore[no-any-return]


def _require_definition(import_path: str, module_name: str, found: Any) -> None:
    """What the module only imports is somebody else's: a configuration names no function through the user's imports."""
    home = getattr(found, "__module__", None) or "builtins"
    is_defined = isinstance(found, type) or inspect.isroutine(found)
    if is_defined and home.split(".")[0] != module_name.split(".")[0]:
        raise _invalid(
            f"`model.kind` is `{import_path}`, which `{module_name}` only imports from `{home}`",
            f"name it where it is defined, or define a function in `{module_name}` that calls it",
        )


def _check_arguments(
    import_path: str, function: Callable[..., Any], sizes: Mapping[str, object], options: Mapping[str, object]
) -> None:
    if taken := sorted(sizes.keys() & options.keys()):
        raise _invalid(f"`model.options` has `{taken[0]}`, which follows from the data", "remove it")
    try:
        signature = inspect.signature(function)
    except ValueError:  # What is written in C may not say what it takes.
        return
    try:
        signature.bind(**sizes, **options)
    except TypeError as error:
        given = ", ".join([*sizes, *options])
        raise _invalid(
            f"`{import_path}{signature}` cannot be called with {given}: {error}",
            "it is given the sizes of the data and `model.options`, all by name",
        ) from None


def _check_logits(import_path: str, model: nn.Module, batch: Tensor, num_classes: int) -> None:
    """Tries one batch, in eval mode; lazy modules become what they are here."""
    shape = list(batch.shape)
    raised = f"the model of `{import_path}`, given images {shape}, raised"
    with torch.no_grad(), eval_mode(model, by_method=True), _blaming(raised):
        logits = model(batch)
    wanted = [len(batch), num_classes]
    got = list(logits.shape) if isinstance(logits, Tensor) else _kind_of(logits)
    if got != wanted:
        raise _invalid(
            f"the model of `{import_path}` makes {got} of images {shape}, not logits {wanted}",
            "let `forward` return one tensor [examples, num_classes]",
        )


@contextmanager
def _blaming(what: str, letting_pass: str | None = None) -> Iterator[None]:
    """Turns what the user's code raises into UserCodeError; `letting_pass` is a module whose absence is another matter.

    A script without a `__main__` guard may call `sys.exit` when it is imported, hence SystemExit.
    """
    try:
        yield
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        if letting_pass is not None and _is_absence_of(letting_pass, error):
            raise
        message = f"{what} {type(error).__name__}: {error}"
        raise UserCodeError(message, _traceback_from_theirs(error)) from None


def _is_absence_of(module_name: str, error: BaseException) -> bool:
    """Whether the module itself, or a package that it is in, was not found; not one that it imports in its turn."""
    return isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}.")


def _traceback_from_theirs(error: BaseException) -> str:
    """The traceback from the first frame that is the user's; a SyntaxError has none and names its place itself."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OUR_PLACES):
        frames = frames.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frames)))


def _kind_of(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _invalid(message: str, hint: str) -> UserError:
    return UserError("invalid_model", message, hint)


def _build(config: UserModelConfig, task: ImageTask) -> nn.Module:
    return build_user_model(
        config.import_path, config.folder, config.options, batch=task.examples, num_classes=task.num_classes
    )


def _blocks(config: UserModelConfig, model: nn.Module) -> BlockMap:
    return blocks_from_patterns(model, [(block.name, block.pattern) for block in config.blocks], config.head)


# Of another's network we do not know in which order its layers run.
USER_MODEL = ModelFamily(_build, _blocks, runs_in_definition_order=False)
