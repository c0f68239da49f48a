"""Pretrained encoders with adapters, as blocks: XLM-R with LoRA in the paper, and others of the same form."""

from thawline.models.text.adapters import AdapterSettings, LoraSettings, OtherAdapterSettings
from thawline.models.text.encoder import Encoder, build_encoder
from thawline.models.text.pretrained import Task

__all__ = ["AdapterSettings", "Encoder", "LoraSettings", "OtherAdapterSettings", "Task", "build_encoder"]
