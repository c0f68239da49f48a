"""What tests of a trainer's callback rely on."""

import logging

import pytest

from thawline.wire.bootstrap import BOOTSTRAP_VARIABLE


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a controller."""
    monkeypatch.delenv(BOOTSTRAP_VARIABLE, raising=False)


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
