"""What a run of image classification is made of, from its configuration: model, blocks, prober, evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn

from thawline.batch_norm import CALIBRATION_BATCHES, BatchNormPolicy
from thawline.blocks import BlockMap, resnet18_blocks, vgg11_blocks
from thawline.config import ResNet18Config, RunConfig, VGG11Config
from thawline.data.corruptions.cache import default_cache_folder
from thawline.data.vision import VisionData, normalize
from thawline.determinism import derive_seed, permutation
from thawline.errors import UserError
from thawline.evaluation.vision import EvaluationStopped, accuracy, evaluate_mnist_c
from thawline.models.resnet import build_resnet18
from thawline.models.vgg import MIN_IMAGE_SIDE, build_vgg11
from thawline.probe_settings import probe_settings
from thawline.probes import ClassificationObjective, Prober, ProbeSet, probe_indices
from thawline.training import Interrupted, SplitScore

# Corruptions are one fixed test set, like the published files, so their seed is not the run's.
CORRUPTION_SEED = 0
MEMORY_FORMAT = torch.channels_last


def choose_device(config: RunConfig) -> torch.device:
    if config.device.kind == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(config.device.kind)


def build_model(config: RunConfig, data: VisionData) -> tuple[nn.Module, BlockMap]:
    """The network and its blocks; the weights depend on the seed alone, not on what was drawn before.

    Raises UserError `invalid_config` for images that are too small for the network.
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
    inputs = normalize(data.train_images[chosen].to(device), data.mean, data.std, memory_format=MEMORY_FORMAT)
    probe_set = ProbeSet.split(inputs, data.train_labels[chosen].to(device), config.probe.batch_size)
    settings = probe_settings(config.seed, config.probe, config.intervention, blocks)
    return Prober(model, ClassificationObjective(head_name="head"), probe_set, settings)


def build_batch_norm_policy(
    config: RunConfig, data: VisionData, model: nn.Module, device: torch.device
) -> BatchNormPolicy:
    def calibration_inputs(update: int) -> Iterator[torch.Tensor]:
        """Training batches of a stream of their own, un-augmented, float32 [batch, C, H, W]."""
        size = min(len(data.train_labels), CALIBRATION_BATCHES * config.train.batch_size)
        drawn = permutation(config.seed, "batch_norm_calibration", len(data.train_labels), update)[:size]
        for indices in torch.split(drawn, config.train.batch_size):
            yield normalize(data.train_images[indices].to(device), data.mean, data.std, memory_format=MEMORY_FORMAT)

    intervention = config.intervention
    return BatchNormPolicy(
        model,
        intervention.frozen_batch_norm,
        calibration_inputs=calibration_inputs,
        recalibrates=intervention.order != "top_down",
    )


def evaluator(
    config: RunConfig, data: VisionData, model: nn.Module, device: torch.device
) -> Callable[[Callable[[], bool]], Iterator[SplitScore]]:
    """In-distribution test accuracy, then each corruption of the out-of-distribution set."""
    limit = config.evaluate.images_per_corruption
    images_per_corruption = limit if isinstance(limit, int) else None
    num_corrupted = min(len(data.test_labels), images_per_corruption or len(data.test_labels))

    def evaluate(should_stop: Callable[[], bool]) -> Iterator[SplitScore]:
        settings = {
            "normalization": data.normalization,
            "batch_size": config.evaluate.batch_size,
            "device": device,
            "memory_format": MEMORY_FORMAT,
            "should_stop": should_stop,
        }
        images, labels = data.test_images, data.test_labels
        try:
            score = accuracy(model, images, labels, **settings)  # type: ignore[arg-type]
            yield SplitScore("in_dist", {"accuracy": score}, len(labels), regenerated=False)
            if config.evaluate.ood == "none":
                return
            for corruption, score in evaluate_mnist_c(
                model,
                images,
                labels,
                images_per_corruption=images_per_corruption,
                seed=CORRUPTION_SEED,
                cache_folder=default_cache_folder(),
                **settings,  # type: ignore[arg-type]
            ):
                yield SplitScore(f"ood/{corruption}", {"accuracy": score}, num_corrupted, regenerated=True)
        except EvaluationStopped:
            raise Interrupted from None

    return evaluate
