"""A tower of layers that count their passes, and the probe set and objective that go with it."""

import torch
from pass_count import Counting
from torch import Tensor, nn

from thawline.probes import ProbeSet, ProbeSettings

WIDTH = 6
CLASSES = 4
STAGES = ("embedding", "layers.0", "layers.1", "layers.2", "head")


class Tally(Counting):
    """Passes its input on, and counts forward and backward passes."""

    def forward(self, hidden: Tensor) -> Tensor:
        self.count()
        if hidden.requires_grad:
            hidden.register_hook(self._count_backward)
        return hidden

    def _count_backward(self, gradient: Tensor) -> None:
        self.backwards += 1


class Layer(nn.Module):
    """Attention and a residual branch; hidden states [n, tokens, WIDTH] are changed in place where that is allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.tally = Tally()

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        query, key, value = self.project(hidden).unsqueeze(1).chunk(3, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask[:, None, None, :])
        if mixed.requires_grad:
            return self.tally(hidden + mixed.squeeze(1))
        return self.tally(hidden.add_(mixed.squeeze(1)))


class Tower(nn.Module):
    """Token ids [n, tokens] and a boolean mask -> logits [n, CLASSES]; between layers and head, a masked mean."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(3))
        self.head = nn.Linear(WIDTH, CLASSES)
        self.tally = Tally()

    def forward(self, ids: Tensor, *, mask: Tensor) -> Tensor:
        hidden = self.embedding(ids)
        for layer in self.layers:
            hidden = layer(hidden, mask=mask)
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return self.tally(self.head(pooled))


class TowerObjective:
    """Cross-entropy, for batches {"ids", "mask", "labels"}."""

    def logits(self, model: nn.Module, batch: dict[str, Tensor]) -> list[Tensor]:
        return [model(batch["ids"], mask=batch["mask"])]

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return self.logits_loss(self.logits(model, batch)[0], batch)

    def logits_loss(self, logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
        log_probabilities = torch.log_softmax(logits.double(), dim=-1)
        return -log_probabilities.gather(-1, batch["labels"].expand(logits.shape[:-1]).unsqueeze(-1)).squeeze(-1)

    def head(self, model: nn.Module) -> nn.Linear:
        assert isinstance(model.head, nn.Linear)
        return model.head


def build_tower(trainable: tuple[str, ...] = ("layers.2.", "head.")) -> Tower:
    """With only the parameters trainable whose names begin so."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        tower = Tower()
    set_trainable(tower, trainable)
    return tower


def set_trainable(tower: nn.Module, trainable: tuple[str, ...]) -> None:
    for name, parameter in tower.named_parameters():
        parameter.requires_grad_(name.startswith(trainable))


def tower_probe_set(points: int = 13, batch_size: int = 5) -> ProbeSet:
    generator = torch.Generator().manual_seed(1)
    batch = {
        "ids": torch.randint(0, 11, (points, 7), generator=generator),
        "mask": torch.arange(7) < torch.randint(2, 8, (points, 1), generator=generator),
        "labels": torch.randint(0, CLASSES, (points,), generator=generator),
    }
    starts = range(0, points, batch_size)
    return ProbeSet([{name: values[start : start + batch_size] for name, values in batch.items()} for start in starts])


def tower_settings(**changes: object) -> ProbeSettings:
    return ProbeSettings(**{"seed": 1, "draws": 4, "search": "apgd", "iterations": 4, "rho": 0.1, **changes})
