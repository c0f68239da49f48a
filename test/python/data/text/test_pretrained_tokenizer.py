import json
from contextlib import suppress
from pathlib import Path

import pytest
from hub_cache import OTHER_REVISION, REVISION, be_offline, bring_code, put_into_cache
from text_examples import RIVER, build_tokenizer

from thawline.data.text.pretrained_tokenizer import load_tokenizer
from thawline.data.text.tokenization import PairTokenizer
from thawline.errors import UserError


def refused(pretrained: str, revision: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        load_tokenizer(pretrained, revision)
    assert caught.value.code == "invalid_tokenizer"
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tokenizer().save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


@pytest.mark.parametrize("revision", [None, REVISION])
def test_the_tokenizer_of_a_folder_whatever_the_revision(folder: Path, revision: str | None) -> None:
    loaded, made = load_tokenizer(str(folder), revision), PairTokenizer.from_fast(build_tokenizer())
    assert (loaded.pad_id, loaded.cls_id) == (made.pad_id, made.cls_id) == (1, 0)
    assert loaded.backend.encode("What?", RIVER).ids == made.backend.encode("What?", RIVER).ids


def test_the_tokenizer_of_a_model_of_the_hub_is_read_from_the_cache(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}))
    put_into_cache(folder, tmp_path / "hub", "example/encoder", REVISION)
    be_offline(monkeypatch, tmp_path / "hub")
    assert load_tokenizer("example/encoder", REVISION).sha256 == load_tokenizer(str(folder), None).sha256
    assert "the tokenizer of example/encoder cannot be loaded" in refused("example/encoder", OTHER_REVISION)


def test_code_that_a_tokenizer_brings_is_never_run(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    marker = bring_code(folder, "tokenizer_config.json", {"AutoTokenizer": [None, "own_code.Tokenizer"]})
    # Whether the library reads the files without that code or refuses, is its own affair.
    with suppress(UserError):
        load_tokenizer(str(folder), None)
    assert not marker.exists()


def test_a_folder_without_one_is_not_given_an_empty_one(folder: Path) -> None:
    """transformers would make one of config.json alone."""
    (folder / "tokenizer.json").unlink()
    (folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}))
    assert refused(str(folder)) == f"{folder} has no tokenizer.json"


@pytest.mark.parametrize("content", ["", "{", "{}", "[]"])
def test_a_damaged_one(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content)
    assert f"the tokenizer of {folder} cannot be loaded" in refused(str(folder))


def test_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "the tokenizer of no-such-encoder cannot be loaded" in refused("no-such-encoder", REVISION)


def test_one_without_padding(tmp_path: Path) -> None:
    tokenizer = build_tokenizer()
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    assert "has no padding token" in refused(str(tmp_path))
