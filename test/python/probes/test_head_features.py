import torch
from torch import nn

from thawline.probes import ClassificationObjective
from thawline.probes.head_features import head_features
from thawline.probes.scope import measuring, resolve_scope


def features_of(network, objective, probe_set, names):
    scope = resolve_scope(network, "all", names)
    with measuring(network, scope):
        return head_features(network, objective, probe_set, scope, poll=lambda: None)


HEAD = ["fc.weight", "fc.bias"]


def test_features_are_the_inputs_of_the_head_batch_by_batch(network, probe_set, objective):
    found = features_of(network, objective, probe_set, HEAD)
    network.eval()
    for features, (inputs, _) in zip(found.features, probe_set.batches, strict=True):
        assert torch.equal(network.fc(features), network(inputs))


def test_only_the_whole_head_and_nothing_else_qualifies(network, probe_set, objective):
    assert features_of(network, objective, probe_set, ["fc.weight"]) is None
    assert features_of(network, objective, probe_set, [*HEAD, "hidden.bias"]) is None
    assert features_of(network, ClassificationObjective(), probe_set, HEAD) is None
    assert features_of(network, ClassificationObjective("bn1"), probe_set, ["bn1.weight", "bn1.bias"]) is None


def test_a_layer_that_does_not_make_the_logits_does_not_qualify(network, probe_set):
    assert features_of(network, ClassificationObjective("hidden"), probe_set, ["hidden.weight", "hidden.bias"]) is None
    scaled = nn.Sequential(network, nn.Hardtanh(-0.1, 0.1))
    assert features_of(scaled, ClassificationObjective("0.fc"), probe_set, ["0.fc.weight", "0.fc.bias"]) is None
