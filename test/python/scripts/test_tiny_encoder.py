"""`scripts/tiny-encoder.py`: a folder of the published form, which the text side takes."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, XLMRobertaConfig

from thawline.models.text import build_encoder

SCRIPT = Path(__file__).parents[3] / "scripts" / "tiny-encoder.py"
CONTEXT = "The quick brown fox jumps over the lazy dog, and \u4eca\u5929 the dog sleeps under the brown tree."
QUESTIONS = ["Who jumps over the dog?", "Where does the dog sleep?"]


def make(folder: Path, *options: str) -> Path:
    paragraph = {"context": CONTEXT, "qas": [{"question": question, "answers": []} for question in QUESTIONS]}
    questions, plain = folder / "questions.json", folder / "plain.txt"
    questions.write_text(json.dumps({"data": [{"title": "Fox", "paragraphs": [paragraph]}]}), encoding="utf-8")
    plain.write_text("El zorro salta sobre el perro.\nEl perro duerme.\n", encoding="utf-8")
    sizes = ["--hidden", "16", "--layers", "2", "--heads", "2", "--vocabulary", "70"]
    run(folder / "encoder", questions, plain, *sizes, *options)
    return folder / "encoder"


def run(*arguments: Path | str) -> None:
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
        runpy.run_path(str(SCRIPT), run_name="__main__")


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("tiny"))


def test_the_tokenizer_has_the_ids_and_the_templates_of_the_published_one(encoder_folder):
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder)
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"]) == [0, 1, 2, 3]
    assert tokenizer.mask_token_id == len(tokenizer) - 1
    first, second = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in QUESTIONS)
    assert tokenizer(*QUESTIONS)["input_ids"] == [0, *first, 2, 2, *second, 2]
    assert tokenizer(QUESTIONS[0])["input_ids"] == [0, *first, 2]


def test_what_it_was_trained_on_comes_back_whole(encoder_folder):
    tokenizer = AutoTokenizer.from_pretrained(encoder_folder)
    for text in (CONTEXT, *QUESTIONS, "El perro duerme."):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids) == text
    assert tokenizer.unk_token_id in tokenizer("\u0939")["input_ids"]


def test_the_model_has_the_published_values_but_for_its_sizes(encoder_folder):
    config = XLMRobertaConfig.from_pretrained(encoder_folder)
    assert (config.type_vocab_size, config.layer_norm_eps, config.max_position_embeddings) == (1, 1e-5, 514)
    assert (config.bos_token_id, config.pad_token_id, config.eos_token_id) == (0, 1, 2)
    encoder = build_encoder("question_answering", str(encoder_folder))
    assert [block.name for block in encoder.block_map.blocks] == ["layer1", "layer0"]
    embeddings = encoder.model.get_base_model().roberta.embeddings.word_embeddings
    assert embeddings.num_embeddings == len(AutoTokenizer.from_pretrained(encoder_folder))


def test_the_weights_follow_from_the_seed(encoder_folder, tmp_path_factory):
    weights = load_file(encoder_folder / "model.safetensors")
    again, other = (make(tmp_path_factory.mktemp(f"seed{seed}"), "--seed", seed) for seed in ("0", "1"))
    assert all(tensor.equal(weights[name]) for name, tensor in load_file(again / "model.safetensors").items())
    name = "roberta.encoder.layer.0.attention.self.query.weight"
    assert not load_file(other / "model.safetensors")[name].equal(weights[name])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--vocabulary", "12"), "--vocabulary 12 does not do for these texts"),
        (("--hidden", "15"), "--hidden 15 is not a multiple of --heads 2"),
        (("--layers", "two"), "argument --layers: invalid int value"),
    ],
)
def test_sizes_that_do_not_fit_get_one_sentence(tmp_path, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        make(tmp_path, *options)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "encoder").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.txt", None, "cannot be read (No such file or directory)"),
        ("latin.txt", "Stra\u00dfe".encode("latin-1"), "is not a text in UTF-8"),
        ("other.json", b'{"version": "1.1"}', "is not JSON in SQuAD's format"),
        ("broken.json", b"{", "is not JSON in SQuAD's format"),
        ("empty.txt", b"\n", "the text files are empty"),
    ],
)
def test_texts_that_cannot_be_read_get_one_sentence(tmp_path, capsys, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path / "encoder", path)
    assert message in capsys.readouterr().err
