"""A hostile `config.json` is refused by file and key before anything is built of it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tiny_encoder import save_bert, save_xlm_roberta
from transformers import AutoModelForQuestionAnswering

from thawline.errors import UserError
from thawline.models.text.encoder_config import malformed_config
from thawline.models.text.pretrained import load_pretrained

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hidden_size": 10**9}, "`hidden_size` is 1,000,000,000, not a number from 0 to 10,000,000"),
    ({"hidden_size": 9_000_000}, "`vocab_size` "),
    ({"hidden_size": -(10**9)}, "`hidden_size` is -1,000,000,000"),
    ({"num_hidden_layers": 10**6}, "`num_hidden_layers` is 1,000,000, not a number from 0 to 1,000"),
    ({"vocab_size": 10**12}, "`vocab_size` is 1,000,000,000,000"),
    ({"vocab_size": 9_999_999}, "`vocab_size` 9,999,999 and `hidden_size` "),
    ({"intermediate_size": 9_999_999}, "`intermediate_size` 9,999,999 and `hidden_size` "),
    ({"max_position_embeddings": 10**11}, "`max_position_embeddings` is 100,000,000,000"),
    ({"type_vocab_size": 10**30}, "`type_vocab_size` is "),
    ({"hidden_size": "thirty-two"}, "`hidden_size` is 'thirty-two', not a number"),
    ({"hidden_size": "x" * 10_000}, "`hidden_size` is 'xxx"),
    ({"num_attention_heads": 2.5}, "`num_attention_heads` is 2.5, not a number without a fraction"),
    ({"num_attention_heads": [2]}, "`num_attention_heads` is [2], not a number"),
    ({"num_hidden_layers": True}, "`num_hidden_layers` is True, not a number"),
    ({"layer_norm_eps": "small"}, "`layer_norm_eps` is 'small', not a number"),
]


def change(folder: Path, changed: dict[str, Any]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


@pytest.mark.parametrize(("changed", "reason"), WRONG)
@pytest.mark.parametrize("save", [partial(save_bert, pooler=True), save_xlm_roberta])
def test_what_no_model_can_be_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Any, changed: dict[str, Any], reason: str
) -> None:
    save(tmp_path / "encoder")
    change(tmp_path / "encoder", changed)
    built: list[object] = []
    monkeypatch.setattr(AutoModelForQuestionAnswering, "from_pretrained", lambda *given, **more: built.append(given))
    with pytest.raises(UserError) as refused:
        load_pretrained("question_answering", str(tmp_path / "encoder"), None, 2)
    assert refused.value.code == "invalid_model"
    assert f"`{tmp_path}/encoder/config.json`: {reason}" in refused.value.message
    assert len(refused.value.message) < 500 + 2 * len(str(tmp_path))
    assert built == []


def test_what_only_the_model_finds_impossible_is_a_sentence_too(tmp_path: Path) -> None:
    save_bert(tmp_path / "encoder", pooler=True)
    change(tmp_path / "encoder", {"num_attention_heads": 0})
    with pytest.raises(UserError, match="cannot be loaded") as refused:
        load_pretrained("question_answering", str(tmp_path / "encoder"), None, 2)
    assert refused.value.code == "invalid_model"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "is no JSON"), (b"[]", "is no JSON object"), (b" " * 5_000_000, "has 5,000,000 bytes")],
)
def test_what_is_no_configuration(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    why = malformed_config(tmp_path)
    assert why is not None
    assert why.startswith(f"`{tmp_path}/config.json` {reason}")


def test_what_transformers_wrote_and_what_it_does_not_know_pass(tmp_path: Path) -> None:
    save_bert(tmp_path / "encoder", pooler=True)
    assert malformed_config(tmp_path / "encoder") is None
    change(tmp_path / "encoder", {"hidden_size": None, "of_the_author": 10**40, "pad_token_id": 0})
    assert malformed_config(tmp_path / "encoder") is None
    change(tmp_path / "encoder", {"model_type": "not-yet-invented", "hidden_size": "x"})
    assert malformed_config(tmp_path / "encoder") is None
    assert malformed_config(tmp_path / "nowhere") is None
