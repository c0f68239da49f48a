import gc
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_tower import STAGES, TowerObjective, build_tower, set_trainable, tower_probe_set, tower_settings
from torch import nn

from thawline.probes import OF_WEIGHTS, PAPER_SIGNALS, ClassificationObjective, Interrupted, Prober, ProbeSettings


def values(measurements):
    """Everything but the seconds."""
    return [(m.key, m.value, m.standard_error, m.change_standard_error, m.span_standard_error) for m in measurements]


def tower_probers(tower, **changes):
    """One that keeps what the frozen layers give, and one that does not."""
    probe_set = tower_probe_set()
    return [
        Prober(tower, TowerObjective(), probe_set, tower_settings(**changes, cache_bytes=size), STAGES)
        for size in (2**30, 0)
    ]


def train_one_update(tower):
    """Touches what is trainable, as an optimizer would."""
    with torch.no_grad():
        for parameter in tower.parameters():
            if parameter.requires_grad:
                parameter.mul_(1.01)


def write_uncounted(tower):
    tower.layers[0].project.weight.data[0, 0] += 0.5


CHANGES = {
    "update": train_one_update,
    "write": write_uncounted,
    "load": lambda tower: tower.load_state_dict({name: 0.9 * value for name, value in tower.state_dict().items()}),
    "nothing": lambda tower: None,
    "head": lambda tower: set_trainable(tower, ("head.",)),
    "top": lambda tower: set_trainable(tower, ("layers.2.", "head.")),
    "middle": lambda tower: set_trainable(tower, ("layers.1.", "head.")),
    "two": lambda tower: set_trainable(tower, ("layers.1.", "layers.2.", "head.")),
    "bottom": lambda tower: set_trainable(tower, ("embedding.",)),
}


@pytest.mark.filterwarnings("ignore:.*have no rule for per-example gradients")
@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=5))
def test_no_bit_differs_whatever_happens_between_two_boundaries(changes):
    tower = build_tower()
    keeping, forgetting = tower_probers(tower)
    metrics = [*PAPER_SIGNALS, "feature_rank"]
    update = 1
    for change in ["nothing", *changes]:
        CHANGES[change](tower)
        assert values(keeping.measure(update, metrics)) == values(forgetting.measure(update, metrics))
        update = 10 if update == 1 else update + 10


@pytest.mark.filterwarnings("ignore:.*have no rule for per-example gradients")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_no_bit_differs_for_any_scope_of_a_tower(precision):
    for trainable in (("head.",), ("layers.2.",), ("layers.0.", "head."), ("embedding.", "head.")):
        tower = build_tower(trainable)
        keeping, forgetting = tower_probers(tower, search_precision=precision)
        for update in (1, 10):
            assert values(keeping.measure(update, OF_WEIGHTS)) == values(forgetting.measure(update, OF_WEIGHTS))
            train_one_update(tower)


def test_what_is_kept_stands_for_its_own_micro_batch_only():
    """156 points make micro-batches of 64, 36, 56; all are views of the same memory."""
    tower = build_tower()
    probe_set = tower_probe_set(points=156, batch_size=100)
    keeping, forgetting = (
        Prober(tower, TowerObjective(), probe_set, tower_settings(cache_bytes=size), STAGES) for size in (2**30, 0)
    )
    for update in (1, 10):
        assert values(keeping.measure(update)) == values(forgetting.measure(update))


def test_batch_norm_statistics_that_move_are_seen(network, probe_set, objective):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(("hidden.", "fc.")))
    stages = ("stem", "bn1", "conv", "bn2", "shortcut", "hidden", "fc")
    keeping, forgetting = (
        Prober(network, objective, probe_set, ProbeSettings(seed=0, cache_bytes=size), stages) for size in (2**30, 0)
    )
    images = torch.randn(4, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    found = []
    for update in (1, 10):
        found.append(values(keeping.measure(update, OF_WEIGHTS)))
        assert found[-1] == values(forgetting.measure(update, OF_WEIGHTS))
        network.train()(images)
    assert found[0][0] != found[1][0]


def snapshot(tower):
    modules = list(tower.modules())
    return {
        "own forwards": [vars(module).get("forward") for module in modules],
        "hooks": [(len(module._forward_hooks), len(module._forward_pre_hooks)) for module in modules],
        "weights": {name: value.tolist() for name, value in tower.state_dict().items()},
    }


@pytest.mark.parametrize("polls", [0, 3, 9, 1000])
def test_nothing_is_left_behind(polls):
    tower = build_tower()
    own_forward = tower.layers[0].forward
    tower.layers[0].forward = own_forward  # as some libraries do
    before = snapshot(tower)
    asked = []

    def should_stop():
        asked.append(None)
        return len(asked) > polls

    prober, forgetting = tower_probers(tower)
    for update in (1, 10):
        try:
            prober.measure(update, should_stop=should_stop)
        except Interrupted:
            assert polls < 1000
        assert snapshot(tower) == before
    found, expected = (values(source.measure(20)) for source in (prober, forgetting))
    assert [entry[:3] for entry in found] == [entry[:3] for entry in expected]


def test_an_error_in_a_layer_leaves_nothing_behind():
    tower = build_tower()
    prober, _ = tower_probers(tower)
    prober.measure(1, ["sharpness_avg"])
    before = snapshot(tower)
    handle = tower.layers[2].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prober.measure(10, ["sharpness_avg"])
    handle.remove()
    assert snapshot(tower) == before


def test_a_model_that_reads_a_frozen_stage_by_another_way_is_run_whole(network, probe_set, objective):
    """The shortcut reads the stem too, so nothing can begin at `conv`."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(("conv.", "fc.")))
    stages = ("stem", "bn1", "conv", "bn2", "hidden", "fc")
    keeping = Prober(network, objective, probe_set, ProbeSettings(seed=0), stages)
    with pytest.warns(UserWarning, match="by another way than the stages"):
        found = keeping.measure(1, OF_WEIGHTS)
    assert values(found) == values(Prober(network, objective, probe_set, ProbeSettings(seed=0)).measure(1, OF_WEIGHTS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keeping.measure(10, OF_WEIGHTS)


class CopyingObjective(TowerObjective):
    """Hands the model tensors of its own, whose memory the next micro-batch will have again."""

    def logits(self, model, batch):
        return super().logits(model, {name: tensor.clone() for name, tensor in batch.items()})


def test_copies_of_the_probe_sets_tensors_are_never_taken_for_one_another():
    tower = build_tower()
    probe_set = tower_probe_set()
    keeping = Prober(tower, CopyingObjective(), probe_set, tower_settings(), STAGES)
    with pytest.warns(UserWarning, match="the probe set's own tensors"):
        found = [values(keeping.measure(update)) for update in (1, 10)]
    forgetting = Prober(tower, CopyingObjective(), probe_set, tower_settings(cache_bytes=0), STAGES)
    assert found == [values(forgetting.measure(update)) for update in (1, 10)]


def test_stages_that_run_in_another_order_are_not_cut():
    tower = build_tower()
    stages = ("layers.0", "embedding", "layers.1", "layers.2", "head")
    keeping = Prober(tower, TowerObjective(), tower_probe_set(), tower_settings(), stages)
    with pytest.warns(UserWarning, match="run once each in their order"):
        found = keeping.measure(1)
    assert values(found) == values(tower_probers(tower)[1].measure(1))


@pytest.mark.parametrize("cache_bytes", [100, 1000])
def test_memory_is_bounded_and_said_once(cache_bytes):
    """A micro-batch of 5 points takes 5 * 7 * 6 * 4 = 840 bytes at the cut."""
    tower = build_tower()
    _, forgetting = tower_probers(tower)
    keeping = Prober(tower, TowerObjective(), tower_probe_set(), tower_settings(cache_bytes=cache_bytes), STAGES)
    with pytest.warns(UserWarning, match=r"more than the \S+ GiB of `probe\.cache_gib`") as warned:
        assert values(keeping.measure(1)) == values(forgetting.measure(1))
    assert len(warned) == 1
    kept = 0 if cache_bytes < 840 else 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tower.layers[0].tally.forwards = 0
        assert values(keeping.measure(10, ["feature_rank"])) == values(forgetting.measure(10, ["feature_rank"]))
    assert tower.layers[0].tally.forwards == 3 - kept + 3


def num_kept(shape):
    """Tensors of this shape that anybody still holds."""
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) and thing.shape == shape for thing in gc.get_objects())


def test_what_is_kept_is_freed_when_it_is_to_be_forgotten_and_comes_back():
    """13 points in batches of 5, 5 and 3; at the cut each has 7 tokens of 6 numbers."""
    tower = build_tower()
    keeping, forgetting = tower_probers(tower)
    expected = values(forgetting.measure(1))
    assert values(keeping.measure(1)) == expected
    assert num_kept((5, 7, 6)) >= 2
    assert num_kept((3, 7, 6)) >= 1
    keeping.forget_kept()
    assert num_kept((5, 7, 6)) == num_kept((3, 7, 6)) == 0
    forwards = tower.layers[0].tally.forwards
    assert values(keeping.measure(10)) == values(forgetting.measure(10))
    assert tower.layers[0].tally.forwards > forwards


def test_features_of_a_linear_head_are_kept_without_any_stages(network, probe_set, only_head_trainable):
    only_head_trainable(network)
    prober = Prober(network, ClassificationObjective("fc"), probe_set, ProbeSettings(seed=0))
    first = values(prober.measure(1))
    network.forwards = 0
    assert [entry[:3] for entry in values(prober.measure(10))] == [entry[:3] for entry in first]
    assert network.forwards == 0
    nn.init.ones_(network.hidden.weight)
    changed = values(prober.measure(20))
    assert network.forwards == len(probe_set.batches)
    assert changed[0][1] != first[0][1]


def test_features_beyond_the_bound_are_not_kept(network, probe_set, only_head_trainable):
    only_head_trainable(network)
    prober = Prober(
        network, ClassificationObjective("fc"), probe_set, ProbeSettings(seed=0, cache_bytes=13 * 7 * 4 - 1)
    )
    prober.measure(1)
    network.forwards = 0
    prober.measure(10)
    assert network.forwards == len(probe_set.batches)
