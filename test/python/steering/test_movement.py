"""What moved in an update, and what stood still though it should have moved."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from thawline.steering.movement import Movement, StepObserver

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def observed(
    parameter: nn.Parameter, gradient: Tensor | None, after: Callable[[], None] = lambda: None, rate: float = 0.1
) -> Movement:
    """One update by SGD; `after` is called when it was made."""
    optimizer = torch.optim.SGD([parameter], lr=rate)
    observer = StepObserver(optimizer)
    observer.watch({"weight": parameter})
    parameter.grad = gradient
    optimizer.step()
    after()
    observer.end_update()
    (movement,) = observer.movements(wait=True)
    observer.watch({})
    assert len(optimizer._optimizer_step_pre_hooks) == 0
    return movement


def verdict(movement: Movement) -> str:
    return "moved" if movement.moved else "stuck" if movement.stuck else "nothing expected"


def put_back(parameter: nn.Parameter) -> Callable[[], None]:
    before = parameter.detach().clone()

    def restore() -> None:
        with torch.no_grad():
            parameter.copy_(before)

    return restore


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_cuda)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.complex64])
def test_what_moves_and_what_is_stuck(dtype: torch.dtype, device: str) -> None:
    def fresh() -> nn.Parameter:
        return nn.Parameter(torch.ones(3, 2, dtype=dtype, device=device))

    gradient = torch.ones(3, 2, dtype=dtype, device=device)
    assert verdict(observed(fresh(), gradient.clone())) == "moved"
    parameter = fresh()
    assert verdict(observed(parameter, gradient.clone(), put_back(parameter))) == "stuck"
    assert verdict(observed(fresh(), torch.zeros_like(gradient))) == "nothing expected"
    assert verdict(observed(fresh(), None)) == "nothing expected"
    assert verdict(observed(fresh(), gradient.clone(), rate=0.0)) == "nothing expected"
    assert verdict(observed(fresh(), gradient.clone(), rate=1e-20)) == "nothing expected"


def test_one_element_of_many_is_seen() -> None:
    gradient = torch.zeros(1000, 64)
    gradient[617, 3] = 1e-3
    assert verdict(observed(nn.Parameter(torch.randn(1000, 64)), gradient)) == "moved"


def test_a_gradient_of_some_rows_alone() -> None:
    embedding = nn.Embedding(50, 4, sparse=True)
    embedding(torch.tensor([7])).sum().backward()
    gradient = embedding.weight.grad
    assert verdict(observed(embedding.weight, gradient)) == "moved"
    assert verdict(observed(embedding.weight, gradient, put_back(embedding.weight))) == "stuck"


def test_changes_whose_bits_add_up_to_nothing_are_seen() -> None:
    """Two classes of a bias move against each other; here they change places."""
    parameter = nn.Parameter(torch.tensor([1.0, 1.5]))
    assert verdict(observed(parameter, torch.tensor([-2.5, 2.5]))) == "moved"
    assert parameter.tolist() == [1.25, 1.25]


def test_a_parameter_without_elements_or_without_values_is_left_out() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1)
    observer = StepObserver(optimizer)
    observer.watch({"none": nn.Parameter(torch.ones(0)), "meta": nn.Parameter(torch.ones(2, device="meta"))})
    assert len(optimizer._optimizer_step_pre_hooks) == 0


def test_gradients_that_a_closure_makes_count() -> None:
    parameter = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    restore = put_back(parameter)
    observer = StepObserver(optimizer)
    observer.watch({"weight": parameter})

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = parameter.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    restore()
    observer.end_update()
    (movement,) = observer.movements(wait=True)
    assert verdict(movement) == "stuck"
