"""What the controller sends of a configuration (src/controller/worker-config.ts): what is trained and measured."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from thawline.config.text_data import TextDataConfig
from thawline.errors import UserError

_Form = TypeVar("_Form")


class ImageModelConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`weights`: a safetensors file that the network begins with, and the SHA-256 that it must have; None: none.

    `weights_head`: whether the head is read from there where it fits, or drawn anew in any case.
    """

    weights: str | None
    weights_sha256: str | None
    weights_head: Literal["fitting", "new"]


class ResNet18Config(ImageModelConfig, frozen=True, tag_field="kind", tag="resnet18", kw_only=True):
    stem: Literal["cifar", "imagenet"]
    width: int


class VGG11Config(ImageModelConfig, frozen=True, tag_field="kind", tag="vgg11", kw_only=True):
    batch_norm: bool
    dropout: float
    head_width: int


class BlockPattern(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    pattern: str


class UserModelConfig(ImageModelConfig, frozen=True, tag_field="kind", tag="import", kw_only=True):
    """A model of the user's own; `import_path` is what the configuration has as `model.kind`."""

    import_path: str
    folder: str
    options: dict[str, str | int | float | bool | None]
    blocks: list[BlockPattern]
    head: str


ModelConfig = ResNet18Config | VGG11Config | UserModelConfig


class LoraConfig(Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="lora"):
    r: int
    alpha: int
    dropout: float
    targets: list[str]


class OtherAdapterConfig(Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="other"):
    """Another adapter of PEFT; `peft_method` is what the configuration has as `model.adapter.method`."""

    peft_method: str
    targets: list[str]
    options: dict[str, str | int | float | bool | list[str] | None]


class EncoderConfig(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="encoder"):
    """`pretrained`: an absolute path, or the id of a model on the Hub with its `revision`. `blocks`: top first."""

    pretrained: str
    revision: str | None
    adapter: LoraConfig | OtherAdapterConfig
    blocks: list[BlockPattern] | None


class NormalizationConfig(Struct, frozen=True, forbid_unknown_fields=True):
    mean: list[float]
    std: list[float]


class DataConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`classes` and `max_train_per_class` are those of an image folder; None: all."""

    kind: Literal["mnist", "fashion_mnist", "cifar10", "cifar100", "image_folder"]
    path: str
    verify_checksums: bool
    classes: list[str] | None
    max_train_per_class: int | None
    max_train_examples: int | None
    max_test_examples: int | None
    normalization: NormalizationConfig | None
    augment: Literal["none", "standard"]


class ConstantSchedule(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="constant"):
    pass


class LinearTailSchedule(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear_tail"):
    fraction: float


class LinearSchedule(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear"):
    """Falls to zero over the whole run, without warm-up."""


Schedule = ConstantSchedule | LinearTailSchedule | LinearSchedule


class TrainConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`momentum` is SGD's, None for others."""

    optimizer: Literal["sgd", "adamw"]
    learning_rate: float
    momentum: float | None
    weight_decay: float
    batch_size: int
    epochs: int | None
    updates: int | None
    schedule: Schedule
    max_gradient_norm: float | None


class SignalConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How signals are measured, whatever they are measured on. Options that no metric of the run uses are None.

    `tau` is the detector's window in points, `start` the update of point 0, `every` the updates between two points.
    """

    every: int
    tau: int
    start: int
    cache_gib: float
    check_every: int = 0
    scope: Literal["trainable", "all", "blocks"] | None = None
    rho: float | None = None
    draws: int | None = None
    noise: Literal["antithetic", "independent"] | None = None
    iterations: int | None = None
    search: Literal["sphere", "apgd"] | None = None
    search_tolerance: float | None = None
    worst_value: Literal["best", "last"] | None = None
    labels: Literal["sampled", "exact", "argmax", "true"] | None = None
    estimator: Literal["per_example", "batch"] | None = None


class ProbeConfig(SignalConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    points: int
    batch_size: int


class FrozenBatchNormConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`start` is the update in which layers are frozen; `recalibrates`: releases change what flows into frozen ones."""

    mode: Literal["hold", "calibrate"]
    recalibrates: bool
    start: int


class ImageEvaluationConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What concerns corruptions that are not tested is None. `development`: training images that are kept apart."""

    batch_size: int
    ood: Literal["mnist_c", "cifar_c", "none"]
    ood_path: str | None
    corruptions: Literal["main", "all"] | None
    frost_textures: str | None
    images_per_corruption: Literal["all"] | int | None
    development: int | None


class TextEvaluationConfig(Struct, frozen=True, forbid_unknown_fields=True):
    batch_size: int


class CardConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What the card of an adapter says of its run.

    `intervention` is its kind, `start` its first update, `freezes` whether it freezes blocks.
    """

    name: str
    intervention: str
    start: int
    freezes: bool


class DeviceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["auto", "cpu", "cuda"]
    threads: int
    precision: Literal["float32", "bfloat16"]


class AnyRunConfig(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every run of the built-in worker has, whatever it trains; without `probe` nothing is measured.

    `groups_by_block`: learning rates will differ between blocks, so that each has groups of the optimizer of its own.
    """

    seed: int
    train: TrainConfig
    probe: ProbeConfig | None
    device: DeviceConfig
    groups_by_block: bool


class RunConfig(AnyRunConfig, frozen=True, kw_only=True):
    """A run of image classification; without `frozen_batch_norm` such layers keep tracking, or none is frozen."""

    model: ModelConfig
    data: DataConfig
    evaluate: ImageEvaluationConfig
    frozen_batch_norm: FrozenBatchNormConfig | None


class TextRunConfig(AnyRunConfig, frozen=True, kw_only=True):
    """A run that trains the adapters of a pretrained encoder."""

    model: EncoderConfig
    data: TextDataConfig
    evaluate: TextEvaluationConfig
    card: CardConfig


class AttachedConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What concerns a user's own training; `needs_probe`: k is found by a signal; `groups_by_block`: as above."""

    seed: int
    probe: SignalConfig | None
    needs_probe: bool
    groups_by_block: bool


def parse_config(config: dict[str, Any]) -> RunConfig | TextRunConfig:
    """The typed form of `welcome.config`; what is trained says which one.

    Raises UserError `invalid_config` naming the key: the controller has checked the values, so this means that the two
    sides are of different versions.
    """
    match config.get("model"):
        case {"kind": "encoder"}:
            return _convert(_with_tagged_adapter(config), TextRunConfig)
    return _convert(_with_tagged_model(config), RunConfig)


def parse_attached_config(config: dict[str, Any]) -> AttachedConfig:
    """The part of `welcome.config` that a user's own script needs; raises UserError like `parse_config`."""
    return _convert(config, AttachedConfig)


def _with_tagged_model(config: dict[str, Any]) -> dict[str, Any]:
    """An import path cannot be a tag, since tags are fixed words: it becomes a field of the form tagged `import`."""
    match config.get("model"):
        case {"kind": str(kind), **settings} if ":" in kind:
            return config | {"model": {"kind": "import", "import_path": kind, **settings}}
    return config


def _with_tagged_adapter(config: dict[str, Any]) -> dict[str, Any]:
    """As for import paths: any method of PEFT may be named, and only LoRA has a form of its own."""
    match config["model"]:
        case {"adapter": {"method": str(method), **settings}} if method != "lora":
            adapter = {"method": "other", "peft_method": method, **settings}
            return config | {"model": config["model"] | {"adapter": adapter}}
    return config


def _convert(config: dict[str, Any], form: type[_Form]) -> _Form:
    try:
        return msgspec.convert(config, form)
    except msgspec.ValidationError as error:
        raise UserError(
            "invalid_config",
            f"the controller's configuration does not fit this worker: {error}",
            "install the same version of thawline for Node and for Python",
        ) from None
