import pytest
import torch

from thawline.errors import UserError
from thawline.probes.label_source import LabelSource

POINTS = 600


def logits(points=POINTS, classes=4, seed=0):
    return torch.randn(points, classes, generator=torch.Generator().manual_seed(seed))


def squared_norms(gradients):
    """Of each point, over backward passes and softmaxes."""
    return sum(part.double().square().sum(dim=-1) for backward in gradients for part in backward)


def gradients_of(kind, outputs, objective, batch=None, seed=1, first=0, points=POINTS):
    return LabelSource(kind, seed, points).output_gradients(objective, outputs, batch, first)


def test_argmax_and_true_labels_are_what_they_are_called(objective):
    out, labels = logits(), torch.arange(POINTS) % 4
    batch = (torch.zeros(POINTS), labels)
    probabilities = out.softmax(dim=-1)
    for kind, expected in (("argmax", out.argmax(dim=-1)), ("true", labels)):
        chosen = LabelSource(kind, 0, POINTS).choose(objective, [out], batch, 0)
        assert torch.equal(chosen[0], expected)
        ((gradient,),) = gradients_of(kind, [out], objective, batch)
        torch.testing.assert_close(gradient, torch.eye(4)[expected] - probabilities)


def test_exact_labels_have_a_backward_pass_for_each_and_sampled_ones_a_single_one(objective):
    outputs = [logits(classes=3), logits(classes=2, seed=5)]
    assert len(gradients_of("exact", outputs, objective)) == 3 + 2
    assert len(gradients_of("sampled", outputs, objective)) == 1


def test_exact_labels_sum_up_to_the_expectation_over_labels(objective):
    out = logits()
    p = out.double().softmax(dim=-1)
    expected = 1 - p.square().sum(dim=-1)  # sum_c p_c |e_c - p|^2
    torch.testing.assert_close(squared_norms(gradients_of("exact", [out], objective)), expected, rtol=1e-5, atol=1e-6)


def test_sampled_labels_have_that_very_norm_whatever_is_drawn(objective):
    """The importance weights make the squared norm at the logits the same for every label."""
    out = logits()
    exact = squared_norms(gradients_of("exact", [out], objective))
    for seed in range(3):
        sampled = gradients_of("sampled", [out], objective, seed=seed)
        torch.testing.assert_close(squared_norms(sampled), exact, rtol=1e-5, atol=1e-6)


def test_a_batch_draws_what_its_points_draw_in_the_whole_probe_set(objective):
    outputs = [logits(), logits(classes=3, seed=5)]
    (whole,) = gradients_of("sampled", outputs, objective)
    (part,) = gradients_of("sampled", [out[200:300] for out in outputs], objective, first=200)
    for of_part, of_whole in zip(part, whole, strict=True):
        assert torch.equal(of_part, of_whole[200:300])


def test_half_of_the_gradients_of_a_second_softmax_change_their_sign(objective):
    """It takes the cross terms out; the first softmax, at which it would change nothing, keeps its signs."""
    (gradients,) = gradients_of("sampled", [logits(), logits(seed=5)], objective)
    # Of e_y - p one number is positive and the other three are negative.
    first, second = ((gradient > 0).sum(dim=-1) for gradient in gradients)
    assert (first == 1).all()
    assert set(second.tolist()) == {1, 3}
    assert abs(float((second == 3).double().mean()) - 0.5) < 4 * 0.5 / POINTS**0.5


def test_true_labels_need_an_objective_that_has_them():
    with pytest.raises(UserError, match="the objective has no labels"):
        LabelSource("true", 0, POINTS).choose(object(), [logits()], None, 0)  # type: ignore[arg-type]


class Positioned:
    """Of three positions an example's first `lengths` count."""

    lengths = torch.arange(POINTS) % 4

    def counted(self, batch):
        return torch.arange(3) < self.lengths[:, None]

    def logits(self, model, batch):
        raise NotImplementedError

    loss = logits

    def labels(self, batch):
        return [torch.where(self.counted(batch), 2, -100)]


@pytest.mark.parametrize("kind", ["sampled", "argmax", "true", "exact"])
def test_positions_are_softmaxes_like_any_other_where_they_count(kind):
    out = torch.stack([logits(seed=seed) for seed in range(3)], dim=1)
    positioned = Positioned()
    together = gradients_of(kind, [out], positioned)
    apart = gradients_of(kind, list(out.unbind(1)), Labelled())
    assert len(together) == len(apart)
    for (whole,), parts in zip(together, apart, strict=True):
        assert torch.equal(whole, torch.stack(parts, dim=1) * positioned.counted(None)[..., None])


class Labelled:
    def logits(self, model, batch):
        raise NotImplementedError

    loss = logits

    def labels(self, batch):
        return [torch.full((POINTS,), 2)] * 3


def test_unweighted_labels_of_positions_are_those_of_softmaxes():
    out = torch.stack([logits(seed=seed) for seed in range(3)], dim=1)
    source = LabelSource("sampled", 1, POINTS)
    (together,) = source.choose(Positioned(), [out], None, 0)
    apart = torch.stack(source.choose(Labelled(), list(out.unbind(1)), None, 0), dim=1)
    counted = Positioned().counted(None)
    assert torch.equal(together[counted], apart[counted])
