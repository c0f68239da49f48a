"""A pretrained encoder with adapters, cut into the blocks that are unfrozen one by one (paper, appendix A)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from thawline.errors import UserError
from thawline.models.text.adapters import WRAPPED, AdapterSettings, LoraSettings, add_adapters, head_prefixes
from thawline.models.text.pretrained import PretrainedModel, Task, load_pretrained
from thawline.steering.blocks import BlockMap, blocks_from_patterns

# Question answering has two logits a token: how well an answer starts there, and how well it ends there.
ANSWER_LOGITS = 2


@dataclass(frozen=True)
class Encoder:
    """A model for a task, and what a training and its probes have to know of it.

    Only blocks and head ever train; the weights that were loaded are in neither. `stages` are the layers, then what
    follows them, in the order in which they run; the first positional argument of a layer is what the one below gave,
    that of the rest is made of what the top layer gave. `logits_layer` names the linear layer that makes the logits, if
    one does. `output_names` are those of a head that came with the checkpoint, by number; None where the head is new.
    `notes` are sentences for the run's log. The model is in training mode, unlike what transformers loads.

    PEFT sets `requires_grad` as it likes (`set_adapter`, loading an adapter, merging): after any of its calls the mask
    has to be applied again.
    """

    model: nn.Module
    block_map: BlockMap
    stages: tuple[str, ...]
    logits_layer: str | None
    output_names: Mapping[int, str] | None
    notes: tuple[str, ...]


def build_encoder(
    task: Task,
    pretrained: str,
    *,
    revision: str | None = None,
    adapter: AdapterSettings | None = None,
    num_labels: int | None = None,
    blocks: Sequence[tuple[str, str]] | None = None,
) -> Encoder:
    """Loads an encoder for `task` and adds adapters (None: LoRA with the paper's settings).

    `pretrained` is a folder, or the id of a model on the Hub with the commit hash `revision`. `num_labels` is asked for
    by sequence classification alone. The blocks are the adapters of one layer each, from the top layer down, named
    `layer11` to `layer0` in a model of twelve; `blocks`, (name, regular expression) pairs over the names of the
    adapters' parameters, top first, replaces that. The top block trains from the start, like the head.

    New weights are drawn from the global generator. Raises UserError `invalid_model`, `invalid_adapter` or
    `invalid_blocks`.
    """
    assert (num_labels is None) == (task == "question_answering")
    loaded = load_pretrained(task, pretrained, revision, ANSWER_LOGITS if num_labels is None else num_labels)
    return adapt(loaded, task, LoraSettings() if adapter is None else adapter, blocks)


def adapt(
    loaded: PretrainedModel,
    task: Task,
    settings: AdapterSettings,
    blocks: Sequence[tuple[str, str]] | None = None,
) -> Encoder:
    """Adds adapters to a model that is there already, and cuts it into blocks; otherwise as `build_encoder`."""
    model = add_adapters(loaded, task, settings).train()
    return Encoder(
        model=model,
        block_map=_block_map(model, loaded, blocks),
        stages=tuple(f"{WRAPPED}{module}" for module in (*loaded.layers, *loaded.after_layers)),
        logits_layer=_logits_layer(model, loaded),
        output_names=loaded.output_names,
        notes=loaded.notes,
    )


def _block_map(model: nn.Module, loaded: PretrainedModel, patterns: Sequence[tuple[str, str]] | None) -> BlockMap:
    """What PEFT made trainable, by the index of the layer in its name: the order of parameters says nothing."""
    trainable = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    heads = tuple(f"{prefix}." for prefix in head_prefixes(loaded))
    assert all(any(name.startswith(head) for name in trainable) for head in heads), "PEFT left a part of the head out"
    if patterns is None:
        places = {f"layer{index}": f"{WRAPPED}{layer}." for index, layer in enumerate(loaded.layers)}
        _check_inside_layers([name for name in trainable if not name.startswith(heads)], tuple(places.values()))
        patterns = [(name, f"^{re.escape(place)}") for name, place in reversed(places.items())]
    head_pattern = f"^({'|'.join(map(re.escape, heads))})"
    block_map = blocks_from_patterns(model, patterns, head_pattern, among=set(trainable))
    return replace(block_map, trainable_from_start=(block_map.blocks[0].name,))


def _check_inside_layers(names: list[str], layers: tuple[str, ...]) -> None:
    if outside := [name for name in names if not name.startswith(layers)]:
        raise UserError(
            "invalid_adapter",
            f"the adapter trains {outside[0]}, which is in no layer of the encoder, so it belongs to no block",
            "use an adapter, and targets, inside the layers, or give `blocks` that say where it belongs",
        )


def _logits_layer(model: nn.Module, loaded: PretrainedModel) -> str | None:
    linear = [
        f"{prefix}.{name}".removesuffix(".")
        for prefix in head_prefixes(loaded)[-1:]
        for name, module in model.get_submodule(prefix).named_modules()
        if isinstance(module, nn.Linear)
    ]
    return linear[-1] if linear else None
