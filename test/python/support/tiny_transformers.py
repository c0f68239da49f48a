"""Transformers of two layers with random weights, made from their configurations, and batches for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AlbertConfig,
    AlbertForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5ForSequenceClassification,
)

from thawline.probes.objective import Batch, Objective
from thawline.probes.text_objective import QuestionAnsweringObjective, SequenceClassificationObjective

WORDS = 60
SIZES = {"vocab_size": WORDS, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
WIDE = {**SIZES, "intermediate_size": 24}
LLAMA = {**WIDE, "num_key_value_heads": 1, "pad_token_id": 0, "bos_token_id": 3, "eos_token_id": 2}
GPT2 = {"vocab_size": WORDS, "n_embd": 16, "n_layer": 2, "n_head": 2, "bos_token_id": 3, "eos_token_id": 2}
T5 = {"vocab_size": WORDS, "d_model": 16, "d_ff": 24, "d_kv": 8, "num_layers": 2, "num_heads": 2}


class LastWordObjective:
    """One softmax over the words after the last position."""

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        return [model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, -1]]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        return functional.cross_entropy(self.logits(model, batch)[0], batch["labels"], reduction="none")


CLASSES, SPANS, WORD = SequenceClassificationObjective(), QuestionAnsweringObjective(), LastWordObjective()
MODELS: dict[str, tuple[Callable[[], nn.Module], Objective]] = {
    "bert": (lambda: BertForSequenceClassification(BertConfig(**WIDE)), CLASSES),
    "bert for questions": (lambda: BertForQuestionAnswering(BertConfig(**WIDE)), SPANS),
    "bert with tied words": (lambda: BertForMaskedLM(BertConfig(**WIDE)), WORD),
    "albert, whose layers are one": (
        lambda: AlbertForSequenceClassification(AlbertConfig(**WIDE, embedding_size=8)),
        CLASSES,
    ),
    "llama": (lambda: LlamaForSequenceClassification(LlamaConfig(**LLAMA)), CLASSES),
    "llama with tied words": (lambda: LlamaForCausalLM(LlamaConfig(**LLAMA, tie_word_embeddings=True)), WORD),
    "qwen2 with words of its own": (
        lambda: Qwen2ForCausalLM(Qwen2Config(**LLAMA, tie_word_embeddings=False)),
        WORD,
    ),
    "gpt2": (lambda: GPT2LMHeadModel(GPT2Config(**GPT2)), WORD),
}


def t5() -> nn.Module:
    """Its relative positions are read once, as a table of positions by positions: there is no rule for that."""
    special = {"pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 0}
    return T5ForSequenceClassification(T5Config(**T5, **special))


def built(build: Callable[[], nn.Module]) -> nn.Module:
    """With every vector away from where it starts."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = build()
        for parameter in model.parameters():
            if parameter.dim() == 1:
                nn.init.normal_(parameter, 0.7, 0.5)
        return model


def words(examples: int, length: int, *, padded: bool = True, vocabulary: int = WORDS) -> dict[str, Tensor]:
    """Sentences of different lengths between padding, each with an end (2) as its last word."""
    generator = torch.Generator().manual_seed(length)
    ids = torch.randint(5, vocabulary, (examples, length), generator=generator)
    lengths = torch.full((examples,), length)
    if padded:
        lengths = (lengths - torch.arange(examples) % 3).clamp(min=1)
    mask = (torch.arange(length) < lengths[:, None]).long()
    ids = ids.where(mask == 1, 0)
    ids[torch.arange(examples), lengths - 1] = 2
    zeros = torch.zeros(examples, dtype=torch.int64)
    labels = {"labels": zeros, "start_positions": zeros, "end_positions": lengths - 1}
    return {"input_ids": ids, "attention_mask": mask, **labels}
