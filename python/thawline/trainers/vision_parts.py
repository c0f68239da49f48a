"""What a run of image classification is made of, from its configuration: network, blocks, inputs, prober."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from thawline.config.run import ResNet18Config, RunConfig
from thawline.data.development import DevelopmentSet, cut_development
from thawline.data.loading import load_vision_data
from thawline.data.vision import ImageInputs, VisionData
from thawline.host.determinism import derive_seed, permutation
from thawline.lockstep.settings_of_run import probe_settings
from thawline.models.family import ImageTask
from thawline.models.image_models import MODELS
from thawline.models.resnet import require_whole_batches
from thawline.models.weights_file import load_weights
from thawline.probes import ClassificationObjective, Prober, ProbeSet, UpdateRule, probe_indices
from thawline.probes.objective import MICRO_BATCH
from thawline.steering.batch_norm import CALIBRATION_BATCHES, BatchNormPolicy
from thawline.steering.blocks import BlockMap, first_head_layer_name, linear_head_name
from thawline.trainers.memory_format import memory_format_for

# As few as show whether logits come example by example.
TRIAL_EXAMPLES = 2


@dataclass(frozen=True)
class VisionParts:
    """What a run of image classification trains, and on what; the network is on its device, the data on the host.

    `new_head`: the head was drawn anew over weights from `model.weights`; None where there are none. The training
    images of `data` are without those of `development`.
    """

    model: nn.Module
    block_map: BlockMap
    data: VisionData
    inputs: ImageInputs
    new_head: bool | None = None
    development: DevelopmentSet | None = None


def build_parts(config: RunConfig, device: torch.device) -> VisionParts:
    """The data, and the network for them on `device`.

    Raises UserError: what the readers, `cut_development`, `build_model` and `load_weights` raise.
    """
    data = load_vision_data(config.data)
    development = None
    if config.evaluate.development is not None:
        data, development = cut_development(data, config.evaluate.development, config.seed)
    model, block_map = build_model(config, data)
    given = config.model
    if isinstance(given, ResNet18Config):
        num_images, batch_size = len(data.train_labels), config.train.batch_size
        sizes = {min(batch_size, num_images), num_images % batch_size or batch_size}
        require_whole_batches(given, image_size_of(data), sizes)
    new_head = None
    if given.weights is not None:
        path, asks_for_new = Path(given.weights), given.weights_head == "new"
        new_head = load_weights(model, block_map, path, given.weights_sha256, new_head=asks_for_new)
    inputs = ImageInputs(data.normalization, device, memory_format_for(model, device))
    model = model.to(device).to(memory_format=inputs.memory_format)  # type: ignore[call-overload]
    return VisionParts(model, block_map, data, inputs, new_head, development)


def image_size_of(data: VisionData) -> tuple[int, int]:
    """(height, width)"""
    height, width = data.train_images.shape[2:]
    return height, width


def new_head_text(config: RunConfig) -> str:
    """What is said of a head that is drawn anew over given weights."""
    if config.model.weights_head == "new":
        return f"the head was drawn anew, as asked for; the rest is from `{config.model.weights}`"
    return f"the head was drawn anew, as that of `{config.model.weights}` has another form; the rest is from there"


def build_model(config: RunConfig, data: VisionData) -> tuple[nn.Module, BlockMap]:
    """The network and its blocks; the weights depend on the seed alone, not on what was drawn before.

    Raises UserError `invalid_config` for images that are too small for the network; for a model of the user's own
    also what `build_user_model` and `blocks_from_patterns` raise.
    """
    as_read = ImageInputs(data.normalization, torch.device("cpu"), torch.channels_last)
    task = ImageTask(as_read.of(data.train_images[:TRIAL_EXAMPLES]), data.num_classes)
    family = MODELS[type(config.model)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "initial_weights"))
        model = family.build(config.model, task)
    return model, family.blocks(config.model, model)


def build_prober(
    config: RunConfig,
    parts: VisionParts,
    micro_batch: int = MICRO_BATCH,
    optimizer: torch.optim.Optimizer | None = None,
) -> Prober | None:
    """A prober on `probe.points` un-augmented training images, chosen by the run's seed; None: nothing is measured.

    `optimizer` makes the updates: without it there is no critical sharpness.
    """
    if config.probe is None:
        return None
    model, data = parts.model, parts.data
    chosen = probe_indices(len(data.train_labels), config.probe.points, config.seed)
    labels = data.train_labels[chosen].to(parts.inputs.device)
    probe_set = ProbeSet.split(parts.inputs.of(data.train_images[chosen]), labels, config.probe.batch_size)
    settings = probe_settings(config.seed, config.probe, parts.block_map)
    settings = replace(settings, search_precision=config.device.precision, micro_batch=micro_batch)
    objective = ClassificationObjective(
        linear_head_name(model, parts.block_map), first_head_layer_name(model, parts.block_map)
    )
    in_order = MODELS[type(config.model)].runs_in_definition_order
    stages = [name for name, _ in model.named_children() if in_order]
    rule = None if optimizer is None else UpdateRule(optimizer, has_own_rates=False)
    return Prober(model, objective, probe_set, settings, stages, rule)


def build_batch_norm_policy(config: RunConfig, parts: VisionParts) -> BatchNormPolicy | None:
    """What frozen BatchNorm layers do, where it is told; it calibrates on training images. None: they keep tracking."""
    frozen = config.frozen_batch_norm
    if frozen is None:
        return None
    num_examples, batch_size = len(parts.data.train_labels), config.train.batch_size

    def calibration_inputs(update: int) -> Iterator[torch.Tensor]:
        """Training batches of a stream of their own, un-augmented, float32 [batch, C, H, W]."""
        drawn = permutation(config.seed, "batch_norm_calibration", num_examples, update)
        for indices in torch.split(drawn[: CALIBRATION_BATCHES * batch_size], batch_size):
            yield parts.inputs.of(parts.data.train_images[indices])

    return BatchNormPolicy(
        parts.model,
        frozen.mode,
        calibration_inputs=calibration_inputs,
        recalibrates=frozen.recalibrates,
        start=frozen.start,
    )
