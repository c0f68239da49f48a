"""The resolved configuration of a run, as the controller sends it; src/config/schema.ts explains every key."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from thawline.errors import UserError

_Form = TypeVar("_Form")


class ResNet18Config(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="resnet18"):
    width: int


class VGG11Config(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="vgg11"):
    batch_norm: bool
    dropout: float
    head_width: int


ModelConfig = ResNet18Config | VGG11Config


class NormalizationConfig(Struct, frozen=True, forbid_unknown_fields=True):
    mean: list[float]
    std: list[float]


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["mnist", "fashion_mnist", "cifar10", "cifar100", "image_folder"]
    path: str
    verify_checksums: bool
    max_train_examples: int | None
    max_test_examples: int | None
    normalization: NormalizationConfig | None
    augment: Literal["none", "standard"]


class ConstantSchedule(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="constant"):
    pass


class LinearTailSchedule(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear_tail"):
    fraction: float


Schedule = ConstantSchedule | LinearTailSchedule


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    optimizer: Literal["sgd"]
    learning_rate: float
    momentum: float
    weight_decay: float
    batch_size: int
    epochs: int | None
    updates: int | None
    schedule: Schedule


class ProbeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    every: int
    points: int
    batch_size: int
    metrics: list[str]
    scope: Literal["trainable", "all"]
    until: str | int
    rho: float
    draws: int
    iterations: int
    worst_value: Literal["best", "last"]
    labels: Literal["sampled", "exact", "argmax", "true"]
    estimator: Literal["per_example", "batch"]


class InterventionConfig(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["gradual_unfreezing", "learning_rate_switch", "none"]
    k: str | int
    signal: str
    tau: int
    epsilon: float
    k_max: int | None
    order: Literal["top_down", "bottom_up", "random"]
    first_unfreeze: Literal["next", "paper41"]
    unfreeze: Literal["gradual", "all_at_once"]
    frozen_batch_norm: Literal["track", "hold", "calibrate"]
    before: float
    after: float


class EvaluateConfig(Struct, frozen=True, forbid_unknown_fields=True):
    batch_size: int
    ood: Literal["mnist_c", "none"]
    images_per_corruption: str | int


class CheckpointConfig(Struct, frozen=True, forbid_unknown_fields=True):
    every: int
    keep: int


class DeviceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["auto", "cpu", "cuda"]
    threads: int
    shared: bool


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    seed: int
    model: ModelConfig
    data: DataConfig
    train: TrainConfig
    probe: ProbeConfig
    intervention: InterventionConfig
    evaluate: EvaluateConfig
    checkpoint: CheckpointConfig
    device: DeviceConfig
    supervision: dict[str, float]


class AttachedConfig(Struct, frozen=True):
    """What concerns a user's own training; model, data and optimizer are the script's, whatever else is configured."""

    seed: int
    probe: ProbeConfig
    intervention: InterventionConfig


def parse_config(config: dict[str, Any]) -> RunConfig:
    """The typed form of `welcome.config`.

    Raises UserError `invalid_config` naming the key: the controller has checked the values, so this means that the two
    sides are of different versions.
    """
    return _convert(config, RunConfig)


def parse_attached_config(config: dict[str, Any]) -> AttachedConfig:
    """The part of `welcome.config` that a user's own script needs; raises UserError like `parse_config`."""
    return _convert(config, AttachedConfig)


def _convert(config: dict[str, Any], form: type[_Form]) -> _Form:
    try:
        return msgspec.convert(config, form)
    except msgspec.ValidationError as error:
        raise UserError(
            "invalid_config",
            f"the controller's configuration does not fit this worker: {error}",
            "install the same version of thawline for Node and for Python",
        ) from None
