"""A pretrained encoder with a head for a task, from a folder or from the Hub, in float32."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub import try_to_load_from_cache
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification
from transformers.utils import CONFIG_NAME, logging

from thawline.errors import UserError
from thawline.models.text.encoder_config import malformed_config
from thawline.models.text.weight_files import malformed_weights

Task = Literal["question_answering", "sequence_classification"]

_POOLER = "pooler"


@dataclass(frozen=True)
class PretrainedModel:
    """A transformers task model, in the names of its modules.

    `layers` are the encoder's, from the bottom to the top. `after_layers` are the modules with parameters that follow
    them, in the order in which they run; `head` are those of them that learn the task: all but a pooler that came with
    the checkpoint. `output_names` are what a head that came with the checkpoint calls its outputs, by number; None for
    a new head. `notes` are sentences for the log of the run.
    """

    model: nn.Module
    layers: tuple[str, ...]
    after_layers: tuple[str, ...]
    head: tuple[str, ...]
    output_names: Mapping[int, str] | None
    notes: tuple[str, ...]


def load_pretrained(task: Task, pretrained: str, revision: str | None, num_labels: int) -> PretrainedModel:
    """Loads a folder that `save_pretrained` wrote, or a model of the Hub at a commit.

    The weights come from safetensors files alone, and no code of the checkpoint is run. The new weights of the head are
    drawn from the global generator. Raises UserError `invalid_model`: not there, not reachable, no pinned revision, no
    encoder of a known form, malformed weights, or a checkpoint that lacks weights of its layers.
    """
    is_folder = Path(pretrained).is_dir()
    if not is_folder:
        _check_revision(pretrained, revision)
    auto = AutoModelForQuestionAnswering if task == "question_answering" else AutoModelForSequenceClassification
    _check_files(Path(pretrained) if is_folder else _cached_folder(pretrained, revision), pretrained)
    try:
        with _silence():
            model, loaded = auto.from_pretrained(
                pretrained,
                revision=None if is_folder else revision,
                local_files_only=is_folder,
                num_labels=num_labels,
                # Since transformers 5 the default is whatever precision the checkpoint was stored in.
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    # What it raises for a wrong folder, architecture or shape of a weight, and for a damaged file.
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ArithmeticError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise _invalid(
            f"the encoder {pretrained} cannot be loaded ({reason})",
            "it must be a folder with config.json and model.safetensors, or a model on the Hub: where there is no "
            "network, load it into HF_HOME where there is one, or name a folder",
        ) from error
    return describe_pretrained(model, pretrained, sorted(loaded["missing_keys"]))


def describe_pretrained(model: Any, name: str, missing: list[str]) -> PretrainedModel:
    """Finds layers and head of a task model; `missing` are the names of parameters that no checkpoint filled."""
    base = model.base_model_prefix
    stack = _layer_stack(model, name)
    pooler = f"{base}.{_POOLER}"
    parameters = [parameter for parameter, _ in model.named_parameters()]
    has_pooler = any(parameter.startswith(f"{pooler}.") for parameter in parameters)
    head = list(dict.fromkeys(name.split(".")[0] for name in parameters if not name.startswith(f"{base}.")))
    new_below_head = [key for key in missing if key.startswith(f"{base}.")]
    if lacking := [key for key in new_below_head if not key.startswith(f"{pooler}.")]:
        raise _invalid(
            f"the checkpoint {name} lacks {lacking[0]}, which {type(model).__name__} needs",
            "use a checkpoint of the architecture that its config.json names",
        )
    after_layers = [*([pooler] if has_pooler else []), *head]
    trained = after_layers if new_below_head else head
    notes = []
    if new_below_head:
        notes.append(f"the checkpoint {name} has no pooler, which the head reads: it starts random and is in the head")
    head_is_new = any(key.startswith(tuple(f"{part}." for part in head)) for key in missing)
    output_names = None if head_is_new else {int(number): str(text) for number, text in model.config.id2label.items()}
    layers = tuple(f"{stack}.{index}" for index in range(model.config.num_hidden_layers))
    return PretrainedModel(model, layers, tuple(after_layers), tuple(trained), output_names, tuple(notes))


def _layer_stack(model: Any, name: str) -> str:
    """The name of the list that holds the encoder's layers in their order."""
    num_layers = getattr(model.config, "num_hidden_layers", None)
    lists = [(path, part) for path, part in model.named_modules() if isinstance(part, nn.ModuleList)]
    paths = [path for path, part in lists if len(part) == num_layers]
    outermost = [path for path in paths if not any(path.startswith(f"{other}.") for other in paths)]
    if len(outermost) != 1:
        raise _invalid(
            f"{type(model).__name__} of {name} does not keep its {num_layers} layers in one list",
            "use an encoder whose layers have weights of their own, such as XLM-R, BERT, DeBERTa or ModernBERT",
        )
    return str(outermost[0])


def _check_revision(pretrained: str, revision: str | None) -> None:
    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        given = "no revision" if revision is None else f"the revision {revision}"
        raise _invalid(
            f"the encoder {pretrained} is no folder, and {given} does not fix a model on the Hub",
            f"name a folder, or give the 40 hex digits of a commit: huggingface.co/{pretrained}/commits lists them",
        )


def _cached_folder(pretrained: str, revision: str | None) -> Path | None:
    """Where a model of the Hub lies that was fetched before; None for one that is still to be fetched."""
    found = try_to_load_from_cache(pretrained, CONFIG_NAME, revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def _check_files(folder: Path | None, name: str) -> None:
    if folder is not None and (why := malformed_weights(folder) or malformed_config(folder)) is not None:
        raise _invalid(
            f"the encoder {name} cannot be loaded: {why}",
            "fetch its files again from where they were published, or name another folder",
        )


@contextmanager
def _silence() -> Iterator[None]:
    """No progress bars, and no table of missing weights: what matters of it goes into `notes`."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _invalid(message: str, hint: str) -> UserError:
    return UserError("invalid_model", message, hint)
