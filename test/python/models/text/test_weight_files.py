"""A pretrained encoder with malformed weights is refused before transformers reads them."""

import json
from pathlib import Path

import pytest
from hub_cache import REVISION, be_offline, put_into_cache
from malformed_tensor_files import GOOD, MALFORMED_TENSOR_FILES
from tiny_encoder import save_xlm_roberta

from thawline.errors import UserError
from thawline.models.text.pretrained import load_pretrained
from thawline.models.text.weight_files import malformed_weights

WEIGHTS = "model.safetensors"


@pytest.mark.parametrize("name", MALFORMED_TENSOR_FILES)
def test_malformed_weights_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / WEIGHTS).write_bytes(MALFORMED_TENSOR_FILES[name])
    why = malformed_weights(tmp_path)
    assert why is not None
    assert why.startswith(f"`{tmp_path / WEIGHTS}` is no file of tensors that can be read: ")


def test_an_encoder_with_such_weights_is_a_user_error(tmp_path: Path) -> None:
    save_xlm_roberta(tmp_path)
    assert malformed_weights(tmp_path) is None
    (tmp_path / WEIGHTS).write_bytes(MALFORMED_TENSOR_FILES["an overlap"])
    with pytest.raises(UserError, match="`b` overlaps another tensor") as raised:
        load_pretrained("question_answering", str(tmp_path), None, 2)
    assert raised.value.code == "invalid_model"


def test_an_encoder_in_the_cache_of_the_hub_likewise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_xlm_roberta(tmp_path / "encoder")
    (tmp_path / "encoder" / WEIGHTS).write_bytes(MALFORMED_TENSOR_FILES["an overlap"])
    put_into_cache(tmp_path / "encoder", tmp_path / "hub", "example/encoder", REVISION)
    be_offline(monkeypatch, tmp_path / "hub")
    with pytest.raises(UserError, match="`b` overlaps another tensor"):
        load_pretrained("question_answering", "example/encoder", REVISION, 2)


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (b"", "is no index of weights"),
        (b"[]", "is no index of weights"),
        (b"[" * 100_000, "is no index of weights"),
        (b'{"weight_map": ["a"]}', "is no index of weights"),
        (b'{"weight_map": {"a": 1}}', "is no index of weights"),
        (b'{"weight_map": {"a": "../a.safetensors"}}', "names a file that is not beside it"),
        (b'{"weight_map": {"a": "/etc/passwd"}}', "names a file that is not beside it"),
        (b'{"weight_map": {"a": "none.safetensors"}}', "it cannot be opened"),
        (b'{"weight_map": {"a": "bad.safetensors"}}', "the shape of `a` does not fit"),
    ],
)
def test_the_index_of_weights_in_several_files(tmp_path: Path, index: bytes, reason: str) -> None:
    (tmp_path / "good.safetensors").write_bytes(GOOD)
    (tmp_path / "bad.safetensors").write_bytes(MALFORMED_TENSOR_FILES["a shape that does not fit"])
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": {"a": "good.safetensors"}}))
    assert malformed_weights(tmp_path) is None
    path.write_bytes(index)
    assert reason in str(malformed_weights(tmp_path))
