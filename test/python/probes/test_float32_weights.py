import pytest
import torch

from thawline.errors import UserError
from thawline.probes import Prober, ProbeSet, ProbeSettings


def prober_of(network, probe_set, objective):
    return Prober(network, objective, probe_set, ProbeSettings(seed=0))


@pytest.mark.parametrize("metric", ["sharpness_avg", "sharpness_worst"])
@pytest.mark.parametrize("head_only", [False, True])
def test_sharpness_of_bfloat16_weights_is_refused_by_name(
    network, points, objective, only_head_trainable, metric, head_only
):
    if head_only:
        only_head_trainable(network)
    probe_set = ProbeSet.split(points[0].bfloat16(), points[1], batch_size=5)
    prober = prober_of(network.bfloat16(), probe_set, objective)
    name = "fc.weight" if head_only else "stem.weight"
    with pytest.raises(UserError, match=f"{metric} moves weights by less than bfloat16 .*, and {name}") as caught:
        prober.measure(1, [metric])
    assert caught.value.code == "probe_weights"
    assert f"leave `{metric}` out of probe.metrics" in caught.value.hint
    (gradient_norm, _) = prober.measure(1, ["gradient_norm"])
    assert gradient_norm.value > 0


def test_what_is_not_moved_may_be_coarse(network, probe_set, objective, only_head_trainable):
    """A frozen part in bfloat16 under a head in float32, as adapters on a quantised model have it."""
    only_head_trainable(network)

    class Halved(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.below = torch.nn.Linear(72, 7).bfloat16().requires_grad_(False)
            self.fc = torch.nn.Linear(7, 5)

        def forward(self, images):
            return self.fc(torch.tanh(self.below(images.flatten(1).bfloat16())).float())

    found = prober_of(Halved(), probe_set, objective).measure(1, ["sharpness_avg", "sharpness_worst"])
    assert found[1].value > 0
