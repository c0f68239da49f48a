"""No pickle takes more memory than its length allows, and what is none is refused with a sentence."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from malformed_pickles import MALFORMED_PICKLES, MEGABYTE, PLAIN
from memory_peak import memory_peak

from thawline.data import pickle_stack
from thawline.data.cifar import CIFAR10, load_cifar
from thawline.data.restricted_pickle import ForbiddenPickle, read_restricted_pickle
from thawline.errors import UserError


def test_there_are_enough_of_them() -> None:
    assert len(MALFORMED_PICKLES) >= 50


@pytest.mark.parametrize("name", MALFORMED_PICKLES)
def test_a_malformed_pickle_is_refused_within_bounded_memory(name: str) -> None:
    content = MALFORMED_PICKLES[name]
    with memory_peak() as peak, pytest.raises(ForbiddenPickle) as caught:
        read_restricted_pickle(content)
    # Most of the short ones is pytest's own, the long ones are of many values of a byte each.
    assert peak.bytes < 6 * len(content) + 16 * MEGABYTE
    assert 10 < len(str(caught.value)) < 300


@pytest.mark.parametrize("name", MALFORMED_PICKLES)
def test_a_data_set_with_one_is_a_user_error_that_names_file_and_fix(tmp_path: Path, name: str) -> None:
    for file in (*CIFAR10.train, *CIFAR10.test):
        (tmp_path / file).write_bytes(PLAIN)
    (tmp_path / "data_batch_2").write_bytes(MALFORMED_PICKLES[name])
    with pytest.raises(UserError) as caught:
        load_cifar(tmp_path, CIFAR10, verify_checksums=False, max_train_examples=None, max_test_examples=None)
    assert caught.value.code == "corrupt_cifar"
    assert caught.value.message.startswith("data_batch_2 is not a CIFAR-10 file: it ")
    assert CIFAR10.archive in caught.value.hint


def test_a_plain_one_takes_little_more_than_its_length() -> None:
    content = pickle.dumps({"data": np.ones((1000, 3072), np.uint8), "labels": [1] * 1000}, 2)
    with memory_peak() as peak:
        read_restricted_pickle(content)
    assert peak.bytes < 6 * len(content)


def test_a_pickle_longer_than_any_batch_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_stack, "MAX_BYTES", len(PLAIN) - 1)
    with pytest.raises(ForbiddenPickle, match=f"it has {len(PLAIN):,} bytes, more than {len(PLAIN) - 1:,}"):
        read_restricted_pickle(PLAIN)


def test_the_number_of_opcodes_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_stack, "MAX_OPCODES", 1000)
    read_restricted_pickle(b"]" + b"Na" * 499 + b".")
    with pytest.raises(ForbiddenPickle, match="it has more than 1,000 opcodes"):
        read_restricted_pickle(b"]" + b"Na" * 500 + b".")


def test_a_file_longer_than_any_batch_is_not_even_loaded(tmp_path: Path) -> None:
    for file in (*CIFAR10.train, *CIFAR10.test):
        (tmp_path / file).write_bytes(PLAIN)
    with (tmp_path / "data_batch_2").open("r+b") as file:
        file.truncate(8 << 30)  # takes no room on the disk
    with memory_peak() as peak, pytest.raises(UserError, match=r"data_batch_2 has 8,589,934,592 bytes, more than"):
        load_cifar(tmp_path, CIFAR10, verify_checksums=False, max_train_examples=None, max_test_examples=None)
    assert peak.bytes < 16 * MEGABYTE
