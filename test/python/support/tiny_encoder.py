"""Encoders of two layers with random weights, in the forms of published checkpoints, and batches for them."""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel, PreTrainedModel, XLMRobertaConfig, XLMRobertaForMaskedLM

from thawline.models.text import Encoder, build_encoder

PAD, VOCABULARY = 1, 60
SPECIAL_TOKENS = {"bos_token_id": 0, "cls_token_id": 0, "pad_token_id": PAD, "eos_token_id": 2, "sep_token_id": 2}
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}


def xlm_roberta_config(**changes: object) -> XLMRobertaConfig:
    """The values of XLM-R base that the class itself does not have as defaults; sizes are tiny unless changed."""
    published = {"type_vocab_size": 1, "layer_norm_eps": 1e-5, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
    return XLMRobertaConfig(
        **{"vocab_size": VOCABULARY, "max_position_embeddings": 130, **published, **SIZES, **changes}
    )


def save_seeded(model_class: type[PreTrainedModel], config: object, folder: Path, **arguments: object) -> str:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model_class(config, **arguments).save_pretrained(folder)
    return str(folder)


def save_xlm_roberta(folder: Path, **changes: object) -> str:
    """Like the published one a masked language model, which has no pooler."""
    return save_seeded(XLMRobertaForMaskedLM, xlm_roberta_config(**changes), folder)


def save_bert(folder: Path, *, pooler: bool, **changes: object) -> str:
    config = BertConfig(**{"vocab_size": VOCABULARY, "max_position_embeddings": 130, **SIZES, **changes})
    return save_seeded(BertModel, config, folder, add_pooling_layer=pooler)


def build_seeded(*arguments: object, **options: object) -> Encoder:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return build_encoder(*arguments, **options)


def move_adapters(model: nn.Module) -> None:
    """As after some training: LoRA's B, which starts at zero, is away from it."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_B." in name:
                parameter.normal_(0, 0.3, generator=generator)


def token_batch(lengths: list[int], *, padding: int = 0, seed: int = 0) -> dict[str, Tensor]:
    """One example of each length, padded to the longest and by `padding` more, with labels of both tasks."""
    generator = torch.Generator().manual_seed(seed)
    lengths_tensor = torch.tensor(lengths)
    ids = torch.randint(5, VOCABULARY, (len(lengths), max(lengths)), generator=generator)
    columns = torch.arange(max(lengths) + padding)
    mask = (columns < lengths_tensor[:, None]).long()
    ids = nn.functional.pad(ids, (0, padding)).where(mask == 1, PAD)
    starts = (torch.rand(len(lengths), generator=generator) * lengths_tensor).long()
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "start_positions": starts,
        "end_positions": torch.minimum(starts + 2, lengths_tensor - 1),
        "labels": torch.arange(len(lengths)) % 3,
    }
