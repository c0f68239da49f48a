"""tr(F) of transformers made from a configuration: what the norms of a layer add, and what the whole model costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from benchmarks.rows import Row, Target, compared
from benchmarks.settings import BenchmarkSettings
from benchmarks.timing import Action, fastest, take_turns
from thawline.probes import ProbeSet
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.fisher import fisher_trace_per_example
from thawline.probes.label_source import LabelSource
from thawline.probes.objective import micro_batches
from thawline.probes.scope import measuring, resolve_scope
from thawline.probes.text_objective import SequenceClassificationObjective

PART = "transformers"
OBJECTIVE = SequenceClassificationObjective()
LENGTH, WORDS, LAYERS, WIDTH = 64, 2000, 4, 128
LAYER_TARGET, WHOLE_TARGET = Target(at_most=1.3), Target(at_most=3)

Batch = dict[str, Tensor]


def rows(settings: BenchmarkSettings) -> Iterator[Row]:
    """None where transformers is not installed."""
    if find_spec("transformers") is None:
        print(f"{PART}: left out; `node scripts/bootstrap.mjs --with-text` installs what it needs\n")
        return
    points = settings.points or (8 if settings.quick else 64)
    batch = sentences(points, settings.device)
    for name, build in {"BERT": bert, "a model like Llama": llama}.items():
        torch.manual_seed(0)
        model = build().to(settings.device).eval()
        yield layer_row(settings, name, model, batch)
        yield whole_row(settings, name, model, batch)


def layer_row(settings: BenchmarkSettings, name: str, model: nn.Module, batch: Batch) -> Row:
    """The upper of the layers in scope, with its normalisations and without."""
    rounds = settings.rounds_or(15)
    number = f".{LAYERS - 1}."
    trace_of = partial(FisherTraceOf, model, batch, settings.micro_batch)
    sides: dict[str, Action] = {
        "one layer in scope": trace_of(lambda name: number in name).measure,
        "the same without its norms": trace_of(lambda name: number in name and "norm" not in name.lower()).measure,
    }
    return compared(
        "share",
        PART,
        f"tr(F) of one layer of {name}, {LAYERS} x {WIDTH}, against the same without its norms",
        take_turns(sides, rounds, settings.clock),
        LAYER_TARGET,
        settings.described_without_width(rounds, points=len(batch["labels"]), length=LENGTH),
    )


def whole_row(settings: BenchmarkSettings, name: str, model: nn.Module, batch: Batch) -> Row:
    rounds = settings.rounds_or(9)
    points = len(batch["labels"])
    measure = FisherTraceOf(model, batch, settings.micro_batch, lambda name: True).measure
    plain = {size: partial(forward_and_backward, model, batch, size) for size in settings.micro_batches_of(points)}
    micro_batch = fastest(plain, settings.clock)
    sides: dict[str, Action] = {
        "everything in scope, embeddings too": measure,
        f"forward and backward pass in micro-batches of {micro_batch}": plain[micro_batch],
    }
    return compared(
        "share",
        PART,
        f"tr(F) of {name}, {LAYERS} x {WIDTH}, everything in scope",
        take_turns(sides, rounds, settings.clock),
        WHOLE_TARGET,
        settings.described_without_width(rounds, points=points, length=LENGTH),
    )


class FisherTraceOf:
    """tr(F) of the parameters that `chosen` takes by their names, as at every boundary after the first."""

    def __init__(self, model: nn.Module, batch: Batch, micro_batch: int, chosen: Callable[[str], bool]) -> None:
        self._model, self._chosen, self._micro_batch = model, chosen, micro_batch
        self._probe_set = ProbeSet([batch])
        self._source = LabelSource("sampled", seed=0, points=len(batch["labels"]))
        self._choose()
        with measuring(model, self._scope):
            self._gradients = ExampleGradients(model, OBJECTIVE, self._scope, [batch], micro_batch)

    def _choose(self) -> None:
        for name, parameter in self._model.named_parameters():
            parameter.requires_grad_(self._chosen(name))
        self._scope = resolve_scope(self._model, "trainable")

    def measure(self) -> None:
        with measuring(self._model, self._scope):
            fisher_trace_per_example(
                self._model,
                OBJECTIVE,
                self._probe_set,
                self._gradients,
                self._source,
                lambda: None,
                self._micro_batch,
            )


def forward_and_backward(model: nn.Module, batch: Batch, micro_batch: int) -> None:
    """The gradient of the summed loss, in micro-batches: what an update would cost without its optimizer."""
    model.requires_grad_(True).zero_grad(set_to_none=True)
    for part in micro_batches(batch, micro_batch):
        OBJECTIVE.loss(model, part).sum().backward()  # type: ignore[no-untyped-call]


def bert() -> nn.Module:
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": 512}
    return BertForSequenceClassification(BertConfig(vocab_size=WORDS, **sizes))


def llama() -> nn.Module:
    """Of the same size: its three matrices of 344 rows are as many numbers as BERT's two of 512."""
    from transformers import LlamaConfig, LlamaForSequenceClassification

    sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": 344}
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return LlamaForSequenceClassification(LlamaConfig(vocab_size=WORDS, **sizes, **special))


def sentences(points: int, device: torch.device) -> Batch:
    """Words at random, without padding."""
    generator = torch.Generator().manual_seed(0)
    words = torch.randint(3, WORDS, (points, LENGTH), generator=generator)
    labels = torch.randint(0, 2, (points,), generator=generator)
    batch = {"input_ids": words, "attention_mask": torch.ones_like(words), "labels": labels}
    return {name: values.to(device) for name, values in batch.items()}
