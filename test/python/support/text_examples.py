"""Hand-made questions in the form of SQuAD JSON, a tokenizer like XLM-R's, and where the real XQuAD may be found."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from thawline.data.text.records import Answer, Question

XQUAD_FILE_LANGUAGES = ("en", "ar", "de", "el", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")

# Where the environment says, else in a folder beside the checkout.
XQUAD_FOLDER = Path(os.environ.get("THAWLINE_TEST_XQUAD") or Path(__file__).parents[4] / "shared/data/xquad")
needs_xquad = pytest.mark.skipif(
    not XQUAD_FOLDER.is_dir(), reason="THAWLINE_TEST_XQUAD does not name a folder with xquad.<language>.json"
)

RIVER = "\ufeffドナウ川 is a river. It flows through Wien, Budapest and बेलग्रेद."
CITY = "北京大学 is in 北京. The cafe\u0301 opened in 1898."
BRIDGE = "The bridge was built by Ada Byron (1843)."


def answer_entry(context: str, text: str) -> dict[str, Any]:
    return {"text": text, "answer_start": context.index(text)}


def paragraph_entry(context: str, **answers: list[str]) -> dict[str, Any]:
    """Questions by id, each with its gold answers."""
    questions = [
        {"id": key, "question": f"What about {key}?", "answers": [answer_entry(context, text) for text in texts]}
        for key, texts in answers.items()
    ]
    return {"context": context, "qas": questions}


_EXAMPLE = {
    "version": "1.1",
    "data": [
        {
            "title": "Rivers",
            "paragraphs": [
                paragraph_entry(RIVER, q1=["ドナウ川", "ドナウ川 is a river"], q2=["Wien, Budapest and बेलग्रेद"]),
                paragraph_entry(BRIDGE, q3=["Ada Byron"]),
            ],
        },
        {"title": "Städte", "paragraphs": [paragraph_entry(CITY, q4=["北京"], q5=["1898", "in 1898"])]},
    ],
}


def squad_example() -> dict[str, Any]:
    """Two articles, three paragraphs, five questions, q1 to q5; the first context starts with U+FEFF."""
    return copy.deepcopy(_EXAMPLE)


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def make_question(context: str, answer: str, *, id: str = "q", question: str = "What is it?") -> Question:
    return Question(id, question, context, (Answer(answer, context.index(answer)),), 0, "Title")


def build_tokenizer(*, tells_texts_apart: bool = False) -> PreTrainedTokenizerFast:
    """Unigram with XLM-R's pair form and special ids: single letters, a few longer pieces, no U+FEFF.

    With `tells_texts_apart` the second text is of segment 1, as in BERT's form.
    """
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "\u2581"]
    pieces += [chr(code) for code in range(33, 127)] + list("ドナウ川बलगद北京大学é")
    pieces = [*dict.fromkeys(pieces), "\u2581the", "\u2581is", "\u2581river", "\u2581in", "\u2581and"]
    model = models.Unigram([(piece, -float(i)) for i, piece in enumerate(pieces)], unk_id=3)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace("\ufeff", ""), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s>:1 $B:1 </s>:1" if tells_texts_apart else "<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    names = ["input_ids", *(["token_type_ids"] if tells_texts_apart else []), "attention_mask"]
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_input_names=names,
    )
