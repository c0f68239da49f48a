"""Probes: the Fisher trace and the sharpness of a model in training (equations 2 to 4), in plain PyTorch.

Also the critical sharpness, the largest eigenvalue of the Hessian, and the spectrum of the features before the head,
when asked for by name; the first one needs the optimizer, `Prober(..., update_rule=UpdateRule(optimizer))`.

They know no controller and no run. To watch any classifier:

    from thawline.probes import ClassificationObjective, Prober, ProbeSet, ProbeSettings

    probe_set = ProbeSet.draw(inputs, labels, points=2048, batch_size=256, seed=0)  # normalised, not augmented
    prober = Prober(model, ClassificationObjective(head_name="fc"), probe_set, ProbeSettings(seed=0))
    for update in range(1, num_updates + 1):
        if update == 1 or update % 10 == 0:
            for measurement in prober.measure(update):
                print(update, measurement.key, measurement.value, measurement.standard_error)
        train_one_update(model)

The model comes back as it was: mode, requires_grad, gradients, weights, buffers and random state. While only the head
is trainable, and it is one linear layer before one softmax, a boundary costs little more than one forward pass.
A causal language model has `CausalLanguageModelObjective`, labels that do not exclude each other have
`MultiLabelObjective`, one logit has `BinaryObjective`; other tasks of transformers are in `text_objective`. Another
task needs an `Objective`: the logits of its softmaxes and its loss, example by example.
"""

from thawline.interruption import Interrupted
from thawline.probes.bernoulli_objective import BinaryObjective, MultiLabelObjective
from thawline.probes.language_model_objective import CausalLanguageModelObjective
from thawline.probes.measurement import Measurement
from thawline.probes.measures import METRICS, OF_WEIGHTS, PAPER_SIGNALS, SIGNALS
from thawline.probes.objective import (
    ClassificationObjective,
    LabelledObjective,
    LayeredHeadObjective,
    LinearHeadObjective,
    Objective,
    PositionedObjective,
    ProbeSetObjective,
)
from thawline.probes.probe_set import ProbeSet, probe_indices
from thawline.probes.prober import Prober
from thawline.probes.settings import ProbeSettings
from thawline.probes.update_direction import UpdateRule

__all__ = [
    "METRICS",
    "OF_WEIGHTS",
    "PAPER_SIGNALS",
    "SIGNALS",
    "BinaryObjective",
    "CausalLanguageModelObjective",
    "ClassificationObjective",
    "Interrupted",
    "LabelledObjective",
    "LayeredHeadObjective",
    "LinearHeadObjective",
    "Measurement",
    "MultiLabelObjective",
    "Objective",
    "PositionedObjective",
    "ProbeSet",
    "ProbeSetObjective",
    "ProbeSettings",
    "Prober",
    "UpdateRule",
    "probe_indices",
]
