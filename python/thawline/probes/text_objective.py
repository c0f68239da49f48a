"""What the probes have to know of transformers task models: question answering and sequence classification.

Batches are mappings of int64 tensors, padded to the longest of their examples: `input_ids` and `attention_mask`
[examples, tokens], the mask 1 on tokens and 0 on padding, and the labels of the task [examples]. How far a batch is
padded changes nothing but the last bits of a result. A batch may hold `token_type_ids` [examples, tokens] too: which of
two texts a token is of, for models of BERT's kind. PEFT's model for question answering drops them on the way (0.21,
`PeftModelForQuestionAnswering.forward`), so there they make no difference.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from thawline.probes.bernoulli_objective import MultiLabelObjective
from thawline.probes.objective import Batch, ClassificationObjective, cross_entropy

# What of a batch a model is called with; the rest are labels.
MODEL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class QuestionAnsweringObjective:
    """Extractive question answering: log p(y|x) = log p(start) + log p(end), two softmaxes over an example's tokens.

    Padding is in neither softmax; otherwise the loss would grow with it (2.97, 3.67 and 4.58 for the same examples
    padded by 0, 20 and 80 tokens). The loss is the mean of the two cross-entropies, as in transformers, so half of
    -log p(y|x). Labels are `start_positions` and `end_positions`, which must be positions of tokens.
    """

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        output = _run(model, batch)
        is_padding = batch["attention_mask"] == 0
        return [logits.masked_fill(is_padding, -torch.inf) for logits in (output.start_logits, output.end_logits)]

    def labels(self, batch: Batch) -> list[Tensor]:
        return [batch["start_positions"], batch["end_positions"]]

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        pairs = zip(self.logits(model, batch), self.labels(batch), strict=True)
        start_loss, end_loss = (cross_entropy(logits, labels) for logits, labels in pairs)
        return (start_loss + end_loss) / 2


class SequenceClassificationObjective(ClassificationObjective):
    """One softmax over the classes of a whole sequence; labels are `labels`."""

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        return [_run(model, batch).logits]

    def labels(self, batch: Batch) -> list[Tensor]:
        return [batch["labels"]]


class MultiLabelSequenceClassificationObjective(MultiLabelObjective):
    """Several labels of a whole sequence that do not exclude each other (`problem_type="multi_label_classification"`).

    Labels are `labels`, 0 or 1, [examples, labels].
    """

    def outputs(self, model: nn.Module, batch: Batch) -> Tensor:
        return _run(model, batch).logits  # type: ignore[no-any-return]

    def targets(self, batch: Batch) -> Tensor:
        return batch["labels"]  # type: ignore[no-any-return]


def _run(model: nn.Module, batch: Batch) -> Any:
    """By the batch's own tensors: the probes recognise what they have kept of a batch by its memory."""
    return model(**{name: batch[name] for name in MODEL_INPUTS if name in batch})
