"""Pairs of texts to tokens by a Hugging Face fast tokenizer, independent of the state that the caller's own is in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from thawline.errors import UserError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_BATCH = 1024  # bounds the memory of encodings, which is about 100 times that of their token ids


class FastTokenizer(Protocol):
    """What is used of transformers' `PreTrainedTokenizerBase`: importing that takes seconds."""

    @property
    def backend_tokenizer(self) -> Tokenizer: ...
    @property
    def cls_token_id(self) -> int | None: ...
    @property
    def pad_token_id(self) -> int | None: ...
    @property
    def model_input_names(self) -> list[str]: ...


@dataclass(frozen=True)
class PairTokenizer:
    """`backend` belongs to this object; `sha256` identifies the tokenizer: vocabulary, rules and special tokens.

    `gives_segments`: whether its models are told which text a token is of (transformers' `token_type_ids`).
    """

    backend: Tokenizer
    cls_id: int
    pad_id: int
    sha256: str
    gives_segments: bool

    @classmethod
    def from_fast(cls, tokenizer: FastTokenizer) -> PairTokenizer:
        """Raises UserError: `invalid_tokenizer` for one that is slow, or lacks what encoder models need."""
        from tokenizers import Tokenizer

        shared = getattr(tokenizer, "backend_tokenizer", None)
        if not isinstance(shared, Tokenizer):
            raise _invalid("the tokenizer is not a fast one, so it cannot say where in the text its tokens are")
        # Calls with truncation or padding leave their settings behind in a tokenizer: neither copied nor hashed.
        backend = Tokenizer.from_str(shared.to_str())
        backend.no_truncation()
        backend.no_padding()
        cls_id, pad_id = tokenizer.cls_token_id, tokenizer.pad_token_id
        if cls_id is None or cls_id not in backend.encode("a", "b").ids:
            raise _invalid("the tokenizer adds no CLS token, which questions without an answer point at")
        if pad_id is None:
            raise _invalid("the tokenizer has no padding token")
        identity = json.dumps([json.loads(backend.to_str()), cls_id, pad_id], sort_keys=True)
        gives_segments = "token_type_ids" in tokenizer.model_input_names
        return cls(backend, cls_id, pad_id, hashlib.sha256(identity.encode()).hexdigest(), gives_segments)

    def encode(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        max_length: int,
        truncation: Literal["only_second", "longest_first"],
        stride: int = 0,
    ) -> Iterator[list[Encoding]]:
        """For each pair its encoding and those of the overflow, all of at most `max_length` tokens.

        With `only_second` the first text is whole in each of them, and neighbours share `stride` tokens of the second.
        """
        self.backend.enable_truncation(max_length, stride=stride, strategy=truncation)
        try:
            for start in range(0, len(pairs), _BATCH):
                for encoding in self.backend.encode_batch(list(pairs[start : start + _BATCH])):
                    yield [encoding, *encoding.overflowing]
        finally:
            self.backend.no_truncation()

    def count_special_tokens(self) -> int:
        """Tokens that a pair has beside those of its texts (4 in XLM-R's `<s> A </s></s> B </s>`)."""
        return self.backend.num_special_tokens_to_add(is_pair=True)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Of each text alone, without special tokens."""
        return [len(encoding.ids) for encoding in self.backend.encode_batch(list(texts), add_special_tokens=False)]


def _invalid(message: str) -> UserError:
    return UserError("invalid_tokenizer", message, hint="use the fast tokenizer of an encoder model such as XLM-R")
