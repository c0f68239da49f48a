"""Every family of networks for images, by what the configuration says of it: a family is its file and one row here."""

from __future__ import annotations

from typing import Any

from thawline.config.run import ResNet18Config, UserModelConfig, VGG11Config
from thawline.models.family import ModelFamily
from thawline.models.resnet import RESNET18
from thawline.models.user import USER_MODEL
from thawline.models.vgg import VGG11_FAMILY

MODELS: dict[type[Any], ModelFamily[Any]] = {
    ResNet18Config: RESNET18,
    VGG11Config: VGG11_FAMILY,
    UserModelConfig: USER_MODEL,
}
