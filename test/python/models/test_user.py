"""Models of a user's own: real modules in a folder, found, built and tried as a run does it."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from thawline.errors import UserCodeError, UserError
from thawline.models.user import build_user_model
from thawline.wire.failure import describe_failure

pytestmark = pytest.mark.usefixtures("torch_settings")

HEADER = "import random\nimport numpy as np\nimport torch\nfrom torch import nn\n"
LINEAR = """
def build(num_classes, in_channels, image_size, *, bias=True):
    height, width = image_size
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * height * width, num_classes, bias=bias))
"""
NUMBERS = itertools.count()

Build = Callable[..., nn.Module]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Builds from a text of Python, for 3 classes and two images of 2 channels and 4 x 5 pixels."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def build_from(text: str, name: str = "build", **options: Any) -> nn.Module:
        module = f"own_model_{next(NUMBERS)}"  # An imported module stays what it was.
        (tmp_path / f"{module}.py").write_text(HEADER + text)
        return build_user_model(
            f"{module}:{name}", str(tmp_path), options, batch=torch.zeros(2, 2, 4, 5), num_classes=3
        )

    yield build_from
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refusal(build: Build, text: str, *arguments: str, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        build(text, *arguments, **options)
    assert caught.value.code == "invalid_model"
    return f"{re.sub(r'own_model_[0-9]+', 'own', caught.value.message)} / {caught.value.hint}"


def blame(build: Build, text: str) -> UserCodeError:
    with pytest.raises(UserCodeError) as caught:
        build(text)
    return caught.value


def test_the_function_is_given_the_sizes_and_the_options(build):
    assert [list(parameter.shape) for parameter in build(LINEAR).parameters()] == [[3, 40], [3]]
    assert [list(parameter.shape) for parameter in build(LINEAR, bias=False).parameters()] == [[3, 40]]


def test_a_class_and_a_nested_name_serve_as_well(build):
    text = """
class Models:
    class Net(nn.Linear):
        def __init__(self, num_classes, in_channels, image_size):
            super().__init__(in_channels * image_size[0] * image_size[1], num_classes)
        def forward(self, images):
            return super().forward(images.flatten(1))
"""
    assert type(build(text, "Models.Net")).__name__ == "Net"


def test_the_folder_comes_before_the_python_path(build, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder, width in ((elsewhere, 1), (tmp_path, 2)):
        (folder / "found_twice.py").write_text(f"WIDTH = {width}\n")
    monkeypatch.syspath_prepend(elsewhere)
    assert build(f"from found_twice import WIDTH\nassert WIDTH == 2\n{LINEAR}")


@pytest.mark.parametrize(
    "draw", ["torch.randn(3)", "torch.tensor(np.random.randn(3))", "torch.full((3,), random.random())"]
)
def test_weights_are_a_function_of_the_seed(build, draw):
    text = f"""
class Net(nn.Module):
    def __init__(self, **sizes):
        super().__init__()
        self.bias = nn.Parameter(({draw}).float())
    def forward(self, images):
        return self.bias.expand(len(images), 3)
"""

    def bias(seed: int) -> list[float]:
        torch.manual_seed(seed)
        return build(text, "Net").bias.tolist()

    first = bias(1)
    bias(2)
    assert bias(1) == first
    assert bias(3) != first


def test_a_lazy_module_has_its_parameters_afterwards_and_they_follow_the_seed(build):
    text = "def build(num_classes, **sizes): return nn.Sequential(nn.Flatten(), nn.LazyLinear(num_classes))"

    def weight() -> torch.Tensor:
        torch.manual_seed(7)
        return build(text)[1].weight

    assert weight().shape == (3, 40)
    assert torch.equal(weight(), weight())


def test_the_trial_leaves_statistics_and_mode_alone(build):
    text = """
def build(num_classes, in_channels, image_size):
    return nn.Sequential(nn.BatchNorm2d(in_channels), nn.Flatten(), nn.Linear(40, num_classes))
"""
    model = build(text)
    assert model.training
    assert model[0].num_batches_tracked == 0


def test_a_module_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError) as caught:
        build_user_model("not_there.models:build", str(tmp_path), {}, batch=torch.zeros(2, 1, 4, 4), num_classes=3)
    assert caught.value.message == (
        "`model.kind` is `not_there.models:build`, but there is no module `not_there` "
        f"in {tmp_path} or on the Python path"
    )


def test_a_function_that_is_not_there_is_named(build, tmp_path):
    assert refusal(build, LINEAR, "biuld") == (
        f"`model.kind` is `own:biuld`, but {tmp_path}/own.py has no `biuld` / did you mean `build`?"
    )
    assert refusal(build, "build = 3").startswith("`model.kind` is `own:build`, which is a value of type int")


def test_options_that_the_function_does_not_take_are_named(build):
    assert refusal(build, LINEAR, width=3) == (
        "`own:build(num_classes, in_channels, image_size, *, bias=True)` cannot be called with num_classes, "
        "in_channels, image_size, width: got an unexpected keyword argument 'width' / "
        "it is given the sizes of the data and `model.options`, all by name"
    )
    assert "missing a required argument: 'depth'" in refusal(build, "def build(depth, **sizes): ...")
    assert "`model.options` has `num_classes`" in refusal(build, LINEAR, num_classes=4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def build(**sizes): pass", "`own:build` returned None, no torch.nn.Module"),
        ("def build(**sizes): return nn.Flatten()", "makes [2, 40] of images [2, 2, 4, 5], not logits [2, 3]"),
        ("def build(**sizes): return nn.Sequential(nn.Flatten(), nn.Linear(40, 4))", "makes [2, 4] of"),
        (
            "class Net(nn.Module):\n    def forward(self, x): return x, x\ndef build(**sizes): return Net()",
            "makes a value of type tuple of images",
        ),
    ],
)
def test_a_result_that_is_no_classifier_of_these_images_is_refused(build, text, said):
    assert said in refusal(build, text)


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("1 / 0", "the import of `own` raised ZeroDivisionError: division by zero", "1 / 0"),
        (
            "import no_such_package",
            "the import of `own` raised ModuleNotFoundError: No module named 'no_such_package'",
            None,
        ),
        ("def build(:", "the import of `own` raised SyntaxError: ", "def build(:"),
        ("import sys\nsys.exit(3)", "the import of `own` raised SystemExit: 3", "sys.exit(3)"),
        ("def build(**sizes):\n    raise OSError(2, 'no weights')", "`own:build` raised FileNotFoundError: ", None),
        (
            "def build(**sizes): return nn.Linear(7, 3)",
            "the model of `own:build`, given images [2, 2, 4, 5], raised RuntimeError: ",
            None,
        ),
    ],
)
def test_what_the_users_code_raises_is_told_with_its_traceback_and_none_of_ours(build, text, what, line):
    error = blame(build, text)
    assert re.sub(r"own_model_[0-9]+", "own", str(error)).startswith(what)
    assert "thawline/models/user.py" not in error.traceback
    assert line is None or line in error.traceback
    failed = describe_failure(error)
    assert (failed.fault, failed.code, failed.traceback) == ("code", "user_code", error.traceback)


def test_the_traceback_begins_in_the_users_code(build):
    error = blame(build, "def build(**sizes):\n    return deeper()\n\ndef deeper():\n    raise ValueError('why')")
    lines = error.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert re.search(r"own_model_[0-9]+\.py\", line 6, in build", lines[1])
    assert lines[-1] == "ValueError: why"


def test_a_lack_of_memory_is_not_the_users_fault(build):
    with pytest.raises(MemoryError):
        build("def build(**sizes): raise MemoryError")


@pytest.mark.parametrize("name", ["torch.hub.load", "load", "nn.Linear", "np.random.seed", "partial"])
def test_what_the_module_only_imports_is_refused(build, name):
    said = refusal(build, "from torch.hub import load\nfrom functools import partial\n", name)
    assert f"`model.kind` is `own:{name}`, which `own` only imports from `" in re.sub(r"own_model_[0-9]+", "own", said)
    assert " / name it where it is defined, or define a function in `own" in said
