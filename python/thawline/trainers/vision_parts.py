"""What a run of image classification is made of, from its configuration: model, blocks, prober."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from thawline.batch_norm import CALIBRATION_BATCHES, BatchNormPolicy
from thawline.blocks import (
    BlockMap,
    blocks_from_patterns,
    first_head_layer_name,
    linear_head_name,
    resnet18_blocks,
    vgg11_blocks,
)
from thawline.config import ResNet18Config, RunConfig, UserModelConfig, VGG11Config
from thawline.data.vision import VisionData, normalize
from thawline.determinism import derive_seed, permutation
from thawline.errors import UserError
from thawline.models.resnet import build_resnet18
from thawline.models.user import build_user_model
from thawline.models.vgg import MIN_IMAGE_SIDE, build_vgg11
from thawline.probe_settings import probe_settings
from thawline.probes import ClassificationObjective, Prober, ProbeSet, probe_indices
from thawline.trainers.memory_format import memory_format_for

# As few as show whether logits come example by example.
TRIAL_EXAMPLES = 2


def build_model(config: RunConfig, data: VisionData) -> tuple[nn.Module, BlockMap]:
    """The network and its blocks; the weights depend on the seed alone, not on what was drawn before.

    Raises UserError `invalid_config` for images that are too small for the network; for a model of the user's own
    also what `build_user_model` and `blocks_from_patterns` raise.
    """
    channels, *sides = data.train_images.shape[1:]
    model: nn.Module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(config.seed, "initial_weights"))
        match config.model:
            case ResNet18Config(width):
                model = build_resnet18(width=width, in_channels=channels, num_classes=data.num_classes)
                return model, resnet18_blocks(model)
            case VGG11Config(batch_norm, dropout, head_width):
                _check_image_size(sides)
                model = build_vgg11(
                    in_channels=channels,
                    num_classes=data.num_classes,
                    batch_norm=batch_norm,
                    dropout=dropout,
                    head_width=head_width,
                )
                return model, vgg11_blocks(model)
            case UserModelConfig(import_path, folder, options, blocks, head):
                examples = data.train_images[:TRIAL_EXAMPLES]
                batch = normalize(examples, data.mean, data.std, memory_format=torch.channels_last)
                model = build_user_model(import_path, folder, options, batch=batch, num_classes=data.num_classes)
                return model, blocks_from_patterns(model, [(block.name, block.pattern) for block in blocks], head)


def _check_image_size(sides: list[int]) -> None:
    if min(sides) < MIN_IMAGE_SIDE:
        raise UserError(
            "invalid_config",
            f"`model.kind` is `vgg11`, whose five poolings leave nothing of images of {sides[1]} x {sides[0]}",
            hint=f"use images of at least {MIN_IMAGE_SIDE} x {MIN_IMAGE_SIDE}, or `model.kind=resnet18`",
        )


def build_prober(
    config: RunConfig, data: VisionData, model: nn.Module, blocks: BlockMap, device: torch.device
) -> Prober:
    chosen = probe_indices(len(data.train_labels), config.probe.points, config.seed)
    memory_format = memory_format_for(model, device)
    inputs = normalize(data.train_images[chosen].to(device), data.mean, data.std, memory_format=memory_format)
    probe_set = ProbeSet.split(inputs, data.train_labels[chosen].to(device), config.probe.batch_size)
    settings = probe_settings(config.seed, config.probe, config.intervention, blocks)
    settings = replace(settings, search_precision=config.device.precision)
    objective = ClassificationObjective(linear_head_name(model, blocks), first_head_layer_name(model, blocks))
    # Our own networks define their layers in the order in which they run; of another we do not know.
    is_ours = not isinstance(config.model, UserModelConfig)
    stages = [name for name, _ in model.named_children()] if is_ours else []
    return Prober(model, objective, probe_set, settings, stages)


def build_batch_norm_policy(
    config: RunConfig, data: VisionData, model: nn.Module, device: torch.device
) -> BatchNormPolicy:
    memory_format = memory_format_for(model, device)

    def calibration_inputs(update: int) -> Iterator[torch.Tensor]:
        """Training batches of a stream of their own, un-augmented, float32 [batch, C, H, W]."""
        size = min(len(data.train_labels), CALIBRATION_BATCHES * config.train.batch_size)
        drawn = permutation(config.seed, "batch_norm_calibration", len(data.train_labels), update)[:size]
        for indices in torch.split(drawn, config.train.batch_size):
            yield normalize(data.train_images[indices].to(device), data.mean, data.std, memory_format=memory_format)

    intervention = config.intervention
    return BatchNormPolicy(
        model,
        intervention.frozen_batch_norm,
        calibration_inputs=calibration_inputs,
        recalibrates=intervention.order != "top_down",
        start=intervention.first_update,
    )
