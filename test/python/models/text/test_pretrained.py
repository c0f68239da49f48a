import json
import logging

import pytest
import torch
from hub_cache import OTHER_REVISION, REVISION, be_offline, bring_code, put_into_cache
from safetensors.torch import load_file, save_file
from tiny_encoder import SIZES, save_bert, save_seeded, save_xlm_roberta
from transformers import AlbertConfig, AlbertModel
from transformers.utils import logging as transformers_logging

from thawline.errors import UserError
from thawline.models.text.pretrained import load_pretrained


def refused(pretrained, *, revision=None, num_labels=2, task="question_answering"):
    with pytest.raises(UserError) as raised:
        load_pretrained(task, str(pretrained), revision, num_labels)
    assert raised.value.code == "invalid_model"
    assert raised.value.hint
    return raised.value.message


@pytest.mark.parametrize("revision", [None, "main", "e73636d"])
def test_a_model_of_the_hub_needs_the_hash_of_a_commit(revision):
    message = refused("FacebookAI/xlm-roberta-base", revision=revision)
    assert "FacebookAI/xlm-roberta-base is no folder" in message
    assert ("no revision" if revision is None else f"the revision {revision}") in message


def test_a_model_that_is_not_there(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "xlm-roberta-nowhere cannot be loaded" in refused("xlm-roberta-nowhere", revision=REVISION)


def test_a_model_of_the_hub_is_read_from_the_cache_at_its_commit(tmp_path, monkeypatch):
    folders = {REVISION: tmp_path / "wanted", OTHER_REVISION: tmp_path / "other"}
    for revision, folder in folders.items():
        save_xlm_roberta(folder, vocab_size=60 if revision == REVISION else 61)
        put_into_cache(folder, tmp_path / "hub", "example/encoder", revision)
    be_offline(monkeypatch, tmp_path / "hub")
    weights = {
        revision: load_pretrained("question_answering", "example/encoder", revision, 2).model.state_dict()
        for revision in folders
    }
    name = "roberta.embeddings.word_embeddings.weight"
    for revision, folder in folders.items():
        assert torch.equal(weights[revision][name], load_file(folder / "model.safetensors")[name])
    assert "example/encoder cannot be loaded" in refused("example/encoder", revision="f" * 40)


def test_code_that_a_checkpoint_brings_is_never_run(tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = tmp_path / "encoder"
    save_xlm_roberta(folder)
    classes = {"AutoConfig": "own_code.Config", "AutoModelForQuestionAnswering": "own_code.Model"}
    marker = bring_code(folder, "config.json", classes)
    load_pretrained("question_answering", str(folder), None, 2)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "not-yet-invented"}))
    assert "cannot be loaded" in refused(folder)
    assert not marker.exists()


def test_a_folder_without_configuration(tmp_path):
    assert f"the encoder {tmp_path} cannot be loaded" in refused(tmp_path)


def test_weights_that_would_have_to_be_unpickled_are_refused(tmp_path):
    folder = tmp_path / "pickled"
    save_xlm_roberta(folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert "cannot be loaded" in refused(folder)


def test_damaged_weights(tmp_path):
    folder = tmp_path / "damaged"
    save_xlm_roberta(folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert "cannot be loaded" in refused(folder)


def test_an_unknown_architecture(tmp_path):
    folder = tmp_path / "unknown"
    save_xlm_roberta(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "not-yet-invented"}))
    assert "cannot be loaded" in refused(folder)


def test_a_checkpoint_that_lacks_weights_of_its_layers_is_not_filled_with_random_ones(tmp_path):
    folder = tmp_path / "torn"
    save_xlm_roberta(folder)
    weights = load_file(folder / "model.safetensors")
    del weights["roberta.encoder.layer.1.attention.self.key.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "lacks roberta.encoder.layer.1.attention.self.key.weight" in refused(folder)


def test_layers_that_share_their_weights_are_refused(tmp_path):
    config = AlbertConfig(vocab_size=60, embedding_size=8, max_position_embeddings=40, **SIZES)
    folder = save_seeded(AlbertModel, config, tmp_path / "albert")
    assert "does not keep its 2 layers in one list" in refused(folder)


def test_layers_and_what_follows_them_are_named(tmp_path):
    found = load_pretrained("sequence_classification", save_bert(tmp_path / "bert", pooler=True), None, 3)
    assert found.layers == ("bert.encoder.layer.0", "bert.encoder.layer.1")
    assert found.after_layers == ("bert.pooler", "classifier")
    assert found.head == ("classifier",)


def test_nothing_is_printed_and_the_verbosity_comes_back(tmp_path, capfd):
    folder = save_bert(tmp_path / "bert", pooler=False)
    transformers_logging.set_verbosity(logging.INFO)
    transformers_logging.enable_progress_bar()
    capfd.readouterr()
    load_pretrained("sequence_classification", folder, None, 3)
    assert capfd.readouterr() == ("", "")
    assert transformers_logging.get_verbosity() == logging.INFO
    assert transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity(logging.WARNING)
