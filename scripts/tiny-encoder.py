#!/usr/bin/env python
"""Makes a small XLM-R with random weights, and a tokenizer learned from texts: for trying out text runs offline.

    python scripts/tiny-encoder.py OUT_FOLDER TEXT_FILE...

Texts are plain files, or JSON files in the format of SQuAD (XQuAD, say), of which contexts and questions are read. The
folder is of the published form, a masked language model without a pooler; it loads with `from_pretrained`, and
`thawline.models.text.build_encoder` takes it. The weights follow from the seed and the sizes. The tokenizer may differ
from one call of this script to the next in the scores of rare pieces, so runs to be compared share one folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM
from transformers.utils import logging

# The ids of the published vocabulary; `<mask>` is its last entry.
SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>"]


class BadInput(Exception):
    """A mistake of the caller's, in one sentence."""


def read_texts(path: Path) -> list[str]:
    """Contexts and questions of a file in SQuAD's format; the lines of any other. Raises BadInput."""
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a text in UTF-8 ({error.reason} at byte {error.start})") from error
    return list(_squad_texts(path, content)) if path.suffix == ".json" else content.splitlines()


def _squad_texts(path: Path, content: str) -> Iterator[str]:
    try:
        for article in json.loads(content)["data"]:
            for paragraph in article["paragraphs"]:
                yield paragraph["context"]
                yield from (question["question"] for question in paragraph["qas"])
    except (ValueError, LookupError, TypeError) as error:
        raise BadInput(f"{path} is not JSON in SQuAD's format (data > paragraphs > context and qas)") from error


def train_tokenizer(texts: list[str], vocabulary: int) -> Tokenizer:
    """A unigram model over pieces that keep their leading space, as SentencePiece makes them for XLM-R."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary - 1, special_tokens=SPECIAL_TOKENS, unk_token="<unk>", show_progress=False
    )
    try:
        tokenizer.train_from_iterator(texts, trainer)
    except Exception as error:  # the library raises nothing narrower
        raise BadInput(f"--vocabulary {vocabulary} does not do for these texts ({error}): give more tokens") from error
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return tokenizer


def check(arguments: argparse.Namespace, texts: list[str]) -> None:
    """Raises BadInput for sizes that no tokenizer or model can have."""
    if arguments.hidden % arguments.heads != 0:
        raise BadInput(f"--hidden {arguments.hidden} is not a multiple of --heads {arguments.heads}")
    if not any(text.strip() for text in texts):
        raise BadInput("the text files are empty")


def make_config(arguments: argparse.Namespace, vocabulary: int) -> XLMRobertaConfig:
    """Every value by hand: the defaults of the class are not those of the published model."""
    return XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=arguments.hidden,
        num_hidden_layers=arguments.layers,
        num_attention_heads=arguments.heads,
        intermediate_size=4 * arguments.hidden,
        max_position_embeddings=514,
        type_vocab_size=1,
        hidden_act="gelu",
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        layer_norm_eps=1e-5,
        initializer_range=0.02,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_folder", type=Path)
    parser.add_argument("text_files", type=Path, nargs="+")
    parser.add_argument("--vocabulary", type=int, default=16000, help="tokens at most (16000)")
    parser.add_argument("--hidden", type=int, default=64, help="hidden size (64)")
    parser.add_argument("--layers", type=int, default=12, help="encoder layers (12)")
    parser.add_argument("--heads", type=int, default=4, help="attention heads (4)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (0)")
    arguments = parser.parse_args()

    try:
        texts = [text for path in arguments.text_files for text in read_texts(path)]
        check(arguments, texts)
        backend = train_tokenizer(texts, arguments.vocabulary)
    except BadInput as error:
        parser.error(str(error))
    # Position ids begin after that of padding, which costs two of the 514 positions.
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=512,
        bos_token="<s>",
        cls_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
    torch.manual_seed(arguments.seed)
    logging.disable_progress_bar()
    model = XLMRobertaForMaskedLM(make_config(arguments, backend.get_vocab_size()))
    tokenizer.save_pretrained(arguments.out_folder)
    model.save_pretrained(arguments.out_folder)
    print(f"{arguments.out_folder}: {backend.get_vocab_size()} tokens, {model.num_parameters():,} parameters")


if __name__ == "__main__":
    main()
