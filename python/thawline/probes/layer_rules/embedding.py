"""`nn.Embedding`: as many gradients as an example has tokens, never as many as there are words."""

from __future__ import annotations

from torch import Tensor, nn

from thawline.probes.layer_rules.forms import Form, Rows


def has_embedding_rule(module: nn.Module) -> bool:
    """`scale_grad_by_freq` counts words over the batch; `max_norm` writes to the weights in each forward pass."""
    return type(module) is nn.Embedding and module.max_norm is None and not module.scale_grad_by_freq


def embedding_gradients(module: nn.Module, inputs: Tensor, gradients: Tensor) -> dict[str, Form]:
    """Embedding: indices [examples, ...], gradients [examples, ..., D]; repeated tokens add, the padding has none."""
    assert isinstance(module, nn.Embedding)
    indices = inputs.reshape(len(inputs), -1)
    values = gradients.reshape(len(gradients), -1, gradients.shape[-1])
    if module.padding_idx is not None:
        values = values.masked_fill((indices == module.padding_idx).unsqueeze(-1), 0)
    return {"weight": Rows(indices, values, module.num_embeddings)}
