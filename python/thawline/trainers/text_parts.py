"""What a run on text is made of, from its configuration: encoder, objective, prober."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from thawline.config.run import EncoderConfig, LoraConfig, TextRunConfig
from thawline.data.text.batches import evaluation_batches
from thawline.data.text.collation import Collation
from thawline.data.text.pretrained_tokenizer import load_tokenizer
from thawline.data.text.records import PAIR_LABELS, PairLabel
from thawline.evaluation.text.nli_scorer import read_label_names
from thawline.host.determinism import derive_seed
from thawline.lockstep.settings_of_run import probe_settings
from thawline.models.text import AdapterSettings, Encoder, LoraSettings, OtherAdapterSettings, build_encoder
from thawline.probes import Prober, ProbeSet, UpdateRule, probe_indices
from thawline.probes.objective import MICRO_BATCH, LabelledObjective
from thawline.probes.text_objective import QuestionAnsweringObjective, SequenceClassificationObjective
from thawline.steering.blocks import first_head_layer_name
from thawline.steering.freezing import parameters_of
from thawline.trainers.text_task import TextTask, check_length, load_task, task_kind


@dataclass(frozen=True)
class TextParts:
    """What a run on text trains, on what, and by which loss; the model is on its device.

    `label_names` are those of sentence pairs in the order of the model's outputs, `trained` the names of the parameters
    that ever train.
    """

    encoder: Encoder
    task: TextTask
    objective: LabelledObjective
    collation: Collation
    label_names: tuple[PairLabel, ...]
    trained: frozenset[str]

    @property
    def model(self) -> nn.Module:
        return self.encoder.model


def build_parts(config: TextRunConfig, device: torch.device) -> TextParts:
    """The encoder on `device`, its task as tokens, and the objective of both.

    Raises UserError: what `build_model`, `load_tokenizer`, `load_task` and `read_label_names` raise.
    """
    encoder = build_model(config)
    encoder.model.to(device)
    tokenizer = load_tokenizer(config.model.pretrained, config.model.revision)
    label_names = _label_names(config, encoder)
    # A tokenizer may tell two texts apart though its model has one segment only, and no embedding for a second.
    gives_segments = tokenizer.gives_segments and has_segments(encoder.model)
    blocks = [encoder.block_map.head, *encoder.block_map.blocks]
    return TextParts(
        encoder=encoder,
        task=load_task(config.data, replace(tokenizer, gives_segments=gives_segments), label_names),
        objective=build_objective(config, encoder),
        collation=Collation(tokenizer.pad_id, device),
        label_names=label_names,
        trained=parameters_of(encoder.block_map, [block.name for block in blocks]),
    )


def _label_names(config: TextRunConfig, encoder: Encoder) -> tuple[PairLabel, ...]:
    task, _ = task_kind(config.data)
    if task == "question_answering" or encoder.output_names is None:
        return PAIR_LABELS
    return read_label_names(encoder.output_names)


def build_model(config: TextRunConfig) -> Encoder:
    """The encoder with its adapters; new weights depend on the seed alone, not on what was drawn before.

    Raises UserError: what `build_encoder` raises, and `invalid_config` for sequences longer than its positions.
    """
    task, num_labels = task_kind(config.data)
    blocks = config.model.blocks
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "initial_weights"))
        encoder = build_encoder(
            task,
            config.model.pretrained,
            revision=config.model.revision,
            adapter=_adapter(config.model),
            num_labels=num_labels,
            blocks=None if blocks is None else [(block.name, block.pattern) for block in blocks],
        )
    check_length(config, encoder.model)
    return encoder


def has_segments(model: nn.Module) -> bool:
    """Whether a transformers model can be told two texts apart, as BERT's kind can."""
    return (getattr(model.config, "type_vocab_size", None) or 0) > 1


def _adapter(model: EncoderConfig) -> AdapterSettings:
    adapter = model.adapter
    if isinstance(adapter, LoraConfig):
        return LoraSettings(adapter.r, adapter.alpha, adapter.dropout, tuple(adapter.targets))
    return OtherAdapterSettings(adapter.peft_method, tuple(adapter.targets), adapter.options)


def build_objective(config: TextRunConfig, encoder: Encoder) -> LabelledObjective:
    """The loss and the softmaxes of the configured data."""
    task, _ = task_kind(config.data)
    if task == "question_answering":
        return QuestionAnsweringObjective()
    return SequenceClassificationObjective(
        encoder.logits_layer, first_head_layer_name(encoder.model, encoder.block_map)
    )


def build_prober(
    config: TextRunConfig,
    parts: TextParts,
    micro_batch: int = MICRO_BATCH,
    optimizer: torch.optim.Optimizer | None = None,
) -> Prober | None:
    """A prober on `probe.points` training sequences, chosen by the run's seed as for images; None: nothing is measured.

    Decision: they are cut into batches by length, which then hold little padding. `optimizer` makes the updates:
    without it there is no critical sharpness.
    """
    if config.probe is None:
        return None
    sequences, encoder = parts.task.train, parts.encoder
    chosen = probe_indices(len(sequences), config.probe.points, config.seed)
    by_length = evaluation_batches(sequences.tokens.lengths[chosen], config.probe.batch_size)
    probe_set = ProbeSet([parts.collation.batch(sequences, chosen[places]) for places in by_length])
    settings = probe_settings(config.seed, config.probe, encoder.block_map)
    settings = replace(settings, search_precision=config.device.precision, micro_batch=micro_batch)
    rule = None if optimizer is None else UpdateRule(optimizer, has_own_rates=False)
    return Prober(encoder.model, parts.objective, probe_set, settings, encoder.stages, rule)
