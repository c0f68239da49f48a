"""What the probes have to know of a causal language model: a softmax over the vocabulary at each token that counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional

from thawline.errors import UserError
from thawline.probes.objective import Batch
from thawline.probes.positions import summed_cross_entropy

# The label of what is not to be predicted, as in transformers and in PyTorch's losses.
IGNORED = -100


class CausalLanguageModelObjective:
    """Next-token prediction by a causal language model of transformers, for the batches that its trainers take.

    A batch is a mapping of `input_ids`, `labels` and, where there is padding, `attention_mask`, [sequences, tokens]
    each; `labels` are the tokens themselves, -100 where one is not to be predicted (prompt, padding). The model is
    called with all but the labels. Token t is predicted at position t - 1. A position counts where that token's label
    is not -100, and neither of the two is padding, on whichever side that is.

    log p(y|x) of a sequence is the sum over the positions that count, so tr(F) is that of whole sequences. For it
    labels are drawn at each of them from the model's own distribution, given the data's tokens before it: what is drawn
    is never read by the model, and one forward pass is enough. The loss of a sequence is its -log p(y|x) divided by
    `tokens_per_sequence`. The probes set that to the number of positions that count in their probe set, per sequence:
    so L is the mean over tokens, as trainers take it over a batch. Until then it is 1.
    """

    def __init__(self, tokens_per_sequence: float = 1.0) -> None:
        self.tokens_per_sequence = tokens_per_sequence

    def logits(self, model: nn.Module, batch: Batch) -> list[Tensor]:
        config = getattr(model, "config", None)
        if getattr(config, "is_encoder_decoder", False):
            raise UserError(
                "probe_logits",
                "the probe: the model has an encoder and a decoder, and a causal language model is expected",
                "write an objective of your own with `logits`, `loss`, `labels` and `counted`: such a model predicts "
                "the label at its own position",
            )
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        # Nothing is generated: keys and values would only take memory.
        without_cache = {"use_cache": False} if hasattr(config, "use_cache") else {}
        output = model(**inputs, **without_cache)
        logits: Tensor = output if isinstance(output, Tensor) else output.logits
        return [logits]

    def labels(self, batch: Batch) -> list[Tensor]:
        return [_next(batch["labels"], IGNORED)]

    def counted(self, batch: Batch) -> Tensor:
        counted = _next(batch["labels"], IGNORED) != IGNORED
        if "attention_mask" not in batch:
            return counted
        is_token: Tensor = batch["attention_mask"] != 0
        return counted & is_token & _next(is_token, False)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        (logits,), (labels,) = self.logits(model, batch), self.labels(batch)
        return summed_cross_entropy(logits, labels, self.counted(batch)) / self.tokens_per_sequence

    def for_probe_set(self, batches: Sequence[Batch]) -> CausalLanguageModelObjective:
        tokens = sequences = 0
        for index, batch in enumerate(batches):
            _require_tokens(batch)
            each = self.counted(batch).sum(dim=1)
            if not each.all():
                raise UserError(
                    "probe_labels",
                    f"the probe: sequence {int((each == 0).nonzero()[0])} of batch {index} has no token to predict",
                    "leave it out: all its labels are -100, padding, or of its first token, which nothing predicts",
                )
            tokens, sequences = tokens + int(each.sum()), sequences + len(each)
        return CausalLanguageModelObjective(tokens / sequences)


def _require_tokens(batch: Batch) -> None:
    if not isinstance(batch, Mapping) or not {"input_ids", "labels"} <= batch.keys():
        got = ", ".join(map(str, batch)) if isinstance(batch, Mapping) else type(batch).__name__
        raise UserError(
            "probe_labels",
            f"the probe: a language model's batch needs `input_ids` and `labels`, got {got}",
            "give what the training's collator makes; where every token is to be predicted, `labels` are `input_ids` "
            "with -100 at the padding",
        )
    for name in ("labels", "attention_mask"):
        if name in batch and batch[name].shape != batch["input_ids"].shape:
            raise UserError(
                "probe_labels",
                f"the probe: `{name}` are {list(batch[name].shape)}, and `input_ids` {list(batch['input_ids'].shape)}",
                "give one of them for each token; a label stands at the place of its own token, not one before it",
            )


def _next(tokens: Tensor, last: int | bool) -> Tensor:
    """Each position's next token, and `last` where there is none."""
    return functional.pad(tokens[:, 1:], (0, 1), value=last)
