"""What the tests of text runs share: transformers is imported only where one of these is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with two layers of XLM-R's form and their tokenizer."""
    from text_training import save_encoder

    return save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def text_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tokenised data of these tests, out of the way of the user's own."""
    folder = tmp_path_factory.getbasetemp() / "text-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THAWLINE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A `data` section: five questions."""
    from text_training import write_questions

    return write_questions(tmp_path_factory.mktemp("questions"))


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A `data` section: nine pairs."""
    from text_training import write_pairs

    return write_pairs(tmp_path_factory.mktemp("pairs"))
