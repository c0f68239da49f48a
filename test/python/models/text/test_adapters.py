import pytest
import torch
from tiny_encoder import build_seeded, save_xlm_roberta, token_batch, xlm_roberta_config
from transformers import XLMRobertaForQuestionAnswering

from thawline.errors import UserError
from thawline.models.text import LoraSettings, OtherAdapterSettings
from thawline.models.text.encoder import adapt
from thawline.models.text.pretrained import describe_pretrained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_xlm_roberta(tmp_path_factory.mktemp("xlm_roberta"))


def refused(folder, settings):
    with pytest.raises(UserError) as raised:
        build_seeded("question_answering", folder, adapter=settings)
    assert raised.value.code == "invalid_adapter"
    assert raised.value.hint
    return f"{raised.value.message}: {raised.value.hint}"


IA3 = OtherAdapterSettings(
    "ia3", ("key", "value", "intermediate.dense"), {"feedforward_modules": ["intermediate.dense"]}
)
DORA = OtherAdapterSettings("lora", ("query", "value"), {"r": 4, "use_dora": True})
LOHA = OtherAdapterSettings("loha", ("query", "value"), {"r": 2})


@pytest.mark.parametrize(("settings", "num_params"), [(IA3, 16 + 16 + 16), (DORA, 2 * (128 + 16)), (LOHA, 2 * 4 * 32)])
def test_other_methods_whose_parameters_are_inside_the_layers(folder, settings, num_params):
    encoder = build_seeded("question_answering", folder, adapter=settings)
    assert [block.num_params for block in encoder.block_map.blocks] == [num_params] * 2
    batch = token_batch([4, 6])
    encoder.model(**{key: batch[key] for key in ("input_ids", "attention_mask")}).start_logits.sum().backward()
    named = dict(encoder.model.named_parameters())
    for block in encoder.block_map.blocks:
        assert any(named[name].grad is not None for name in block.parameter_names)


def test_a_method_with_prompts_has_parameters_in_no_layer(folder):
    settings = OtherAdapterSettings("prefix_tuning", (), {"num_virtual_tokens": 3})
    assert "`prefix_tuning`" in refused(folder, settings)


def test_parameters_outside_the_layers_are_refused_by_name(folder):
    """LayerNorms are in the embeddings as well."""
    message = refused(folder, OtherAdapterSettings("ln_tuning", ("LayerNorm",)))
    assert "embeddings.LayerNorm" in message
    assert "in no layer of the encoder" in message
    inside = OtherAdapterSettings("ln_tuning", ("output.LayerNorm",))
    assert build_seeded("question_answering", folder, adapter=inside).block_map.blocks[0].num_params == 2 * 32


def test_ranks_that_move_between_layers_are_refused(folder):
    assert "`adalora` moves ranks" in refused(folder, OtherAdapterSettings("adalora", ("query",)))


def test_an_unknown_method_names_the_known_ones(folder):
    message = refused(folder, OtherAdapterSettings("lorra", ("query",)))
    assert "`lorra` is no adapter of PEFT" in message
    assert "lora" in message.split("choose from")[1]


def test_wrong_options_are_refused(folder):
    assert "`ia3` cannot be made" in refused(folder, OtherAdapterSettings("ia3", ("key",), {"ranks": 3}))


@pytest.mark.parametrize("settings", [LoraSettings(r=0), LoraSettings(targets=("LayerNorm",))])
def test_what_the_library_refuses_is_said_in_its_words(folder, settings):
    assert "`lora`" in refused(folder, settings)


def test_every_target_must_be_in_every_layer(folder):
    """PEFT itself is content with one match."""
    message = refused(folder, LoraSettings(targets=("query", "q_lin")))
    assert "`q_lin` is no part of roberta.encoder.layer.0" in message
    assert "attention.self.query" in message.split("choose from")[1]


def test_a_parameter_in_two_layers_is_refused():
    """PEFT would adapt a layer that stands in two places once, under both names."""
    with torch.device("meta"):
        model = XLMRobertaForQuestionAnswering(xlm_roberta_config(num_labels=2))
        model.roberta.encoder.layer[1] = model.roberta.encoder.layer[0]
        with pytest.raises(UserError, match=r"shares one parameter between .*layer\.0\..* and .*layer\.1\."):
            adapt(describe_pretrained(model, "tied", []), "question_answering", LoraSettings())
