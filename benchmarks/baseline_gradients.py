"""Gradients of a batch, and of its examples one by one, by PyTorch's own means."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional


def forward_and_backward(network: nn.Module, inputs: Tensor, labels: Tensor, micro_batch: int) -> None:
    """The gradient of the summed loss, in micro-batches: what an update would cost without its optimizer."""
    network.zero_grad(set_to_none=True)
    for part, part_labels in zip(torch.split(inputs, micro_batch), torch.split(labels, micro_batch), strict=True):
        functional.cross_entropy(network(part), part_labels, reduction="sum").backward()  # type: ignore[no-untyped-call]


@torch.no_grad()
def forward(network: nn.Module, inputs: Tensor, micro_batch: int) -> None:
    for part in torch.split(inputs, micro_batch):
        network(part)


def squared_norms_by_vmap(network: nn.Module, inputs: Tensor, labels: Tensor, chunk: int) -> Tensor:
    """||grad log p(label|x)||^2 of each example, [examples], by vmap(grad) over `chunk` examples at a time."""
    named = {name: parameter.detach() for name, parameter in network.named_parameters()}

    def log_probability(parameters: dict[str, Tensor], image: Tensor, label: Tensor) -> Tensor:
        return -functional.cross_entropy(functional_call(network, parameters, (image[None],)), label[None])

    per_example = vmap(grad(log_probability), in_dims=(None, 0, 0))
    norms = []
    for part, part_labels in zip(torch.split(inputs, chunk), torch.split(labels, chunk), strict=True):
        found = per_example(named, part, part_labels)
        norms.append(torch.stack([gradient.flatten(1).square().sum(dim=1) for gradient in found.values()]).sum(dim=0))
    return torch.cat(norms)
