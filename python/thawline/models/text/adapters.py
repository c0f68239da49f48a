"""The adapters that a run trains in place of the encoder's own weights, by the PEFT library."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import peft
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from torch import nn

from thawline.errors import UserError
from thawline.models.text.pretrained import PretrainedModel, Task

# PEFT's own name for an adapter, and the place in which it keeps the model that it wraps.
ADAPTER = "default"
WRAPPED = "base_model.model."

_TASK_TYPES = {
    "question_answering": peft.TaskType.QUESTION_ANS,
    "sequence_classification": peft.TaskType.SEQ_CLS,
}


@dataclass(frozen=True)
class LoraSettings:
    """LoRA (Hu et al. 2021, arXiv:2106.09685): W x + (alpha / r) B A x. The defaults are the paper's (appendix B).

    `targets` name linear layers within an encoder layer. B starts at zero, so that the model starts as it was
    pretrained; until B has moved, the gradient of A is exactly zero, and A adds nothing to tr(F).
    """

    r: int = 8
    alpha: int = 8
    dropout: float = 0.2
    targets: tuple[str, ...] = ("query", "value")


@dataclass(frozen=True)
class OtherAdapterSettings:
    """Another method of the PEFT library by its name there (`ia3`, `loha`, ...), with its own options.

    Methods whose parameters are not all inside encoder layers cannot be unfrozen layer by layer, and are refused.
    """

    method: str
    targets: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)


AdapterSettings = LoraSettings | OtherAdapterSettings


def add_adapters(pretrained: PretrainedModel, task: Task, settings: AdapterSettings) -> nn.Module:
    """Wraps the model; adapters and a copy of the head are trainable then, and nothing else.

    The new weights are drawn from the global generator. PEFT keeps the head twice: the `original_module` stays frozen,
    the copy under `modules_to_save` trains. Raises UserError `invalid_adapter`.
    """
    _check_targets(pretrained, settings)
    config = _peft_config(pretrained, task, settings)
    try:
        with warnings.catch_warnings():
            # PEFT asks transformers for a property by its old name.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            model = peft.get_peft_model(pretrained.model, config)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise _invalid(f"the adapter `{_method(settings)}` does not fit the encoder ({error})") from error
    _check_unshared(model)
    return model


def head_prefixes(pretrained: PretrainedModel) -> list[str]:
    """What the names of the head's trainable parameters begin with."""
    return [f"{WRAPPED}{module}.modules_to_save.{ADAPTER}" for module in pretrained.head]


def _peft_config(pretrained: PretrainedModel, task: Task, settings: AdapterSettings) -> peft.PeftConfig:
    common: dict[str, Any] = {
        "task_type": _TASK_TYPES[task],
        "target_modules": list(settings.targets),
        # By full names: PEFT compares the ends of names. It adds the customary names of heads itself.
        "modules_to_save": list(pretrained.head),
    }
    if isinstance(settings, LoraSettings):
        return peft.LoraConfig(r=settings.r, lora_alpha=settings.alpha, lora_dropout=settings.dropout, **common)
    method = settings.method
    if method == "adalora":
        raise _invalid("the adapter `adalora` moves ranks between layers as it trains, so its blocks would change size")
    configs = {str(kind.value).lower(): config for kind, config in PEFT_TYPE_TO_CONFIG_MAPPING.items()}
    if method not in configs:
        raise _invalid(f"`{method}` is no adapter of PEFT", f"choose from {', '.join(sorted(configs))}")
    try:
        options: dict[str, Any] = dict(settings.options)
        return configs[method](**common, **options)
    except (TypeError, ValueError) as error:
        raise _invalid(f"the adapter `{method}` cannot be made with these targets and options ({error})") from error


def _check_targets(pretrained: PretrainedModel, settings: AdapterSettings) -> None:
    """Every target must be in every layer: PEFT is content with a single match."""
    for layer in pretrained.layers:
        parts = pretrained.model.get_submodule(layer).named_modules(prefix=layer)
        names = [name for name, part in parts if any(True for _ in part.parameters(recurse=False))]
        for target in settings.targets:
            if not any(name.endswith(f".{target}") for name in names):
                found = ", ".join(name.removeprefix(f"{layer}.") for name in names)
                raise _invalid(f"the adapter's target `{target}` is no part of {layer}", f"choose from {found}")


def _check_unshared(model: nn.Module) -> None:
    """A parameter under two names would be in two blocks."""
    owners: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if parameter.requires_grad and owners.setdefault(id(parameter), name) != name:
            raise _invalid(f"the adapter shares one parameter between {owners[id(parameter)]} and {name}")


def _method(settings: AdapterSettings) -> str:
    return "lora" if isinstance(settings, LoraSettings) else settings.method


def _invalid(message: str, hint: str = "LoRA fits every encoder that thawline can load") -> UserError:
    return UserError("invalid_adapter", message, hint)
