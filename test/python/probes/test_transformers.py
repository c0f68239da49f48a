"""Per-example gradients of whole transformers: by rules alone, equal to autograd's, in one backward pass."""

import warnings

import pytest
import torch
from largest_tensor import LargestTensor
from tiny_transformers import CLASSES, LLAMA, MODELS, WIDE, WORD, built, t5, words
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM

from thawline.probes import example_gradients as module_of_example_gradients
from thawline.probes import recording
from thawline.probes.example_gradients import ExampleGradients
from thawline.probes.layer_rules import parts
from thawline.probes.scope import measuring, resolve_scope


def gradients_at(logits):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(out.shape, generator=generator).to(out).where(out.isfinite(), 0) for out in logits]


def norms_by_autograd(model, objective, batch, scope, gradients):
    total = []
    for example in range(len(batch["labels"])):
        one = slice(example, example + 1)
        logits = objective.logits(model, {name: values[one] for name, values in batch.items()})
        found = torch.autograd.grad(logits, scope.parameters, [g[one] for g in gradients], allow_unused=True)
        total.append(sum(gradient.square().sum() for gradient in found if gradient is not None))
    return torch.stack(total).detach().double()


def assert_norms_agree(model, objective, batches, *, tolerance=1e-9):
    scope = resolve_scope(model, "trainable")
    with measuring(model, scope):
        made = ExampleGradients(model, objective, scope, batches)
        for batch in batches:
            recorded = made.forward(batch)
            gradients = gradients_at(recorded.logits)
            found = made.squared_norms(recorded, [gradients])
            expected = norms_by_autograd(model, objective, batch, scope, gradients)
            torch.testing.assert_close(found, expected, rtol=tolerance, atol=0)


# Llama's and Qwen's norms compute in float32 whatever the weights are.
TOLERANCES = {"llama": 1e-5, "llama with tied words": 1e-5, "qwen2 with words of its own": 1e-5}


@pytest.mark.parametrize("name", MODELS)
def test_everything_in_scope_is_known_by_rules_whatever_the_lengths(name):
    """Also at as many positions as examples, where positions could be taken for examples, and of one position alone."""
    build, objective = MODELS[name]
    batches = [words(5, 7), words(4, 4), words(3, 1), words(1, 6)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_norms_agree(built(build).double(), objective, batches, tolerance=TOLERANCES.get(name, 1e-9))


@pytest.mark.parametrize("frozen", ["embeddings", "encoder", "LayerNorm", "weight"])
def test_any_part_may_be_frozen(frozen):
    model = built(MODELS["bert"][0]).double()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(frozen not in name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_norms_agree(model, CLASSES, [words(5, 7)])


def test_positions_that_no_example_owns_are_differentiated_slowly():
    with pytest.warns(
        UserWarning, match=r"2 of 5\d parameters in scope .*relative_attention_bias.* example by example"
    ):
        assert_norms_agree(built(t5).double(), CLASSES, [words(4, 6)], tolerance=1e-4)


class Learned(nn.Module):
    """Positions as many scripts have them: indices without a dimension for the example."""

    def __init__(self, join="add"):
        super().__init__()
        self.words, self.positions = nn.Embedding(60, 8), nn.Embedding(20, 8)
        self.norm, self.fc = nn.LayerNorm(8), nn.Linear(8, 3)
        self.join = join

    def forward(self, tokens):
        positions = self.positions(torch.arange(tokens.shape[1]))
        if self.join == "add":
            hidden = self.words(tokens) + positions
        elif self.join == "flat":
            hidden = self.words(tokens) + positions.view(tokens.shape[1], 8)
        else:
            hidden = self.words(tokens) * (positions.sum(0) if self.join == "sum" else positions[0])
        return self.fc(torch.tanh(self.norm(hidden)).mean(1))


class TokenObjective:
    def logits(self, model, batch):
        return [model(batch["input_ids"])]


@pytest.mark.parametrize(("join", "slow"), [("add", False), ("flat", True), ("sum", True), ("first", True)])
def test_positions_read_once_get_a_row_for_each_example_where_the_model_bears_it(join, slow):
    torch.manual_seed(0)
    model, batches = Learned(join).double(), [words(5, 7), words(6, 6), words(1, 3)]
    if not slow:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_norms_agree(model, TokenObjective(), batches)
        return
    with pytest.warns(UserWarning, match=r"1 of 6 parameters in scope \('positions.weight' first\)"):
        assert_norms_agree(model, TokenObjective(), batches, tolerance=1e-4)


class Attending(nn.Module):
    def __init__(self, batch_first=True, **options):
        super().__init__()
        self.embed, self.fc = nn.Embedding(60, 8), nn.Linear(8, 3)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first, **options)
        self.memory = nn.Linear(8, options.get("kdim", 8))
        self.memory_of_values = nn.Linear(8, options.get("vdim", 8))
        self.reads, self.needs_weights = "itself", False

    def forward(self, tokens):
        hidden = self.embed(tokens)
        keys = hidden if self.reads == "itself" else self.memory(hidden)
        values = self.memory_of_values(hidden) if self.reads == "keys and values" else keys
        if not self.attention.batch_first:
            given = {id(read): read.transpose(0, 1) for read in (hidden, keys, values)}
            hidden, keys, values = (given[id(read)] for read in (hidden, keys, values))
        found = self.attention(hidden, keys, values, need_weights=self.needs_weights)[0]
        return self.fc(torch.tanh(found).mean(1 if self.attention.batch_first else 0))


ATTENTIONS = [{}, {"batch_first": False}, {"bias": False}, {"add_zero_attn": True}, {"kdim": 6, "vdim": 4}]


@pytest.mark.parametrize("reads", ["itself", "memory", "keys and values"])
@pytest.mark.parametrize("needs_weights", [False, True])
@pytest.mark.parametrize("options", ATTENTIONS, ids=str)
def test_packed_projections_of_an_attention_have_rules(options, reads, needs_weights):
    torch.manual_seed(0)
    model = Attending(**options).double()
    model.reads = "keys and values" if "kdim" in options else reads
    model.needs_weights = needs_weights
    nn.init.normal_(model.attention.out_proj.weight)
    linear = nn.functional.linear
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_norms_agree(model, TokenObjective(), [words(5, 7), words(4, 4), words(2, 1)])
    assert nn.functional.linear is linear
    assert "forward" not in vars(model.attention)


def test_keys_that_an_attention_adds_are_slow():
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match=r"2 of 1\d parameters in scope \('attention.bias_k' first\)"):
        assert_norms_agree(Attending(add_bias_kv=True).double(), TokenObjective(), [words(5, 7)], tolerance=1e-4)


def test_an_attention_called_twice_is_added_up():
    torch.manual_seed(0)

    class Twice(Attending):
        def forward(self, tokens):
            hidden = self.embed(tokens)
            for _ in range(2):
                hidden = hidden + self.attention(hidden, hidden, hidden, need_weights=False)[0]
            return self.fc(hidden.mean(1))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_norms_agree(Twice().double(), TokenObjective(), [words(5, 7)])


class OfTorch(nn.Module):
    """Layers of torch itself, which have positions before examples unless told otherwise."""

    def __init__(self, batch_first):
        super().__init__()
        self.embed, self.fc = nn.Embedding(60, 8), nn.Linear(8, 3)
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=batch_first)
        self.encoder, self.batch_first = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), batch_first

    def forward(self, tokens):
        hidden = self.encoder(self.embed(tokens if self.batch_first else tokens.T))
        return self.fc(hidden.mean(1 if self.batch_first else 0))


@pytest.mark.parametrize("batch_first", [True, False])
def test_positions_may_come_before_examples(batch_first):
    """Also at as many positions as examples, where the one could be taken for the other, and of one example."""
    torch.manual_seed(0)
    model = OfTorch(batch_first).double()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_norms_agree(model, TokenObjective(), [words(5, 7), words(6, 6), words(2, 1), words(1, 5)])


def lies_by_a_factor(model):
    layer = model.bert.encoder.layer[0].output.LayerNorm
    layer.forward = lambda inputs: 2 * nn.functional.layer_norm(inputs, (16,), layer.weight, layer.bias)


def uses_its_words_once_more(model):
    embeddings = model.bert.embeddings
    dense = model.classifier
    dense.forward = lambda inputs: nn.functional.linear(inputs, dense.weight + embeddings.word_embeddings.weight[:2])


@pytest.mark.parametrize("lie", [lies_by_a_factor, uses_its_words_once_more], ids=lambda lie: lie.__name__)
def test_a_layer_that_lies_is_differentiated_slowly(lie):
    model = built(MODELS["bert"][0]).double()
    lie(model)
    with pytest.warns(UserWarning, match="they are differentiated example by example, which is slow"):
        assert_norms_agree(model, CLASSES, [words(5, 7)], tolerance=1e-4)


@pytest.fixture
def passes(monkeypatch):
    """Backward passes made, by how many examples."""
    made = []
    backward = recording.backward

    def counting(logits, gradients, targets, *, retain_graph):
        made.append(len(logits[0]))
        return backward(logits, gradients, targets, retain_graph=retain_graph)

    for module in (recording, module_of_example_gradients):
        monkeypatch.setattr(module, "backward", counting)
    return made


@pytest.mark.parametrize("name", MODELS)
def test_a_measurement_is_one_forward_and_one_backward_pass_of_all_examples(name, passes):
    build, objective = MODELS[name]
    model, batch = built(build), words(6, 7)
    scope, forwards = resolve_scope(model, "trainable"), []
    with measuring(model, scope):
        made = ExampleGradients(model, objective, scope, [batch])
        model.register_forward_hook(lambda *arguments: forwards.append(1))
        passes.clear()
        recorded = made.forward(batch)
        made.squared_norms(recorded, [gradients_at(recorded.logits)])
    assert (len(forwards), passes) == (1, [6])


@pytest.mark.parametrize("kind", ["bert", "tied llama"])
def test_memory_is_bounded_by_activations_and_parts_whatever_the_vocabulary(kind, monkeypatch):
    examples, length, vocabulary, at_once = 32, 8, 30_000, 2**14
    monkeypatch.setattr(parts, "NUMBERS_AT_ONCE", at_once)
    sizes = {"vocab_size": vocabulary, "intermediate_size": 48}
    if kind == "bert":
        model, objective = BertForSequenceClassification(BertConfig(**WIDE | sizes)), CLASSES
    else:
        model, objective = LlamaForCausalLM(LlamaConfig(**LLAMA | sizes, tie_word_embeddings=True)), WORD
    batch, scope = words(examples, length, vocabulary=vocabulary), resolve_scope(model, "trainable")
    with measuring(model, scope):
        made = ExampleGradients(model, objective, scope, [batch], micro_batch=examples)
        recorded = made.forward(batch)
        gradients = gradients_at(recorded.logits)
        with LargestTensor() as largest:
            made.squared_norms(recorded, [gradients])
    # The gradient at a language model's own logits is an activation, of all words at every position.
    activations = examples * length * (vocabulary if kind == "tied llama" else 48)
    assert largest.numbers <= max(activations, at_once)
    assert largest.numbers < examples * vocabulary * 16
    assert kind == "tied llama" or largest.numbers < vocabulary * 16
