import torch

from thawline.probes.noise import label_signs, label_uniforms, weight_noise


def test_the_noise_of_a_parameter_does_not_depend_on_what_else_is_in_scope():
    together = weight_noise([("a", 20), ("b", 5), ("c", 33)], 0.01, seed=1, batch=2, draw=3)
    assert torch.equal(together[25:], weight_noise([("c", 33)], 0.01, seed=1, batch=2, draw=3))
    assert torch.equal(together[20:25], weight_noise([("b", 5)], 0.01, seed=1, batch=2, draw=3))


def test_every_counter_changes_the_noise():
    noises = [
        weight_noise([(name, 8)], 0.01, seed, batch, draw)
        for seed, batch, draw, name in [(1, 2, 3, "a"), (0, 2, 3, "a"), (1, 0, 3, "a"), (1, 2, 0, "a"), (1, 2, 3, "b")]
    ]
    assert len({tuple(noise.tolist()) for noise in noises}) == 5


def test_rho_is_the_standard_deviation_of_each_coordinate():
    noise = weight_noise([("a", 40_000)], 0.01, seed=0, batch=0, draw=0)
    assert noise.dtype == torch.float32
    assert abs(noise.std() - 0.01) < 2e-4
    assert abs(noise.mean()) < 3e-4


def test_label_randomness_is_one_number_per_point_and_softmax():
    assert torch.equal(label_uniforms(5, 9, 0), label_uniforms(5, 9, 0))
    assert not torch.equal(label_uniforms(5, 9, 0), label_uniforms(5, 9, 1))
    assert label_uniforms(5, 9, 0).dtype == torch.float64
    assert label_signs(5, 9, 0).tolist() == [1.0] * 9
    assert set(label_signs(5, 99, 1).tolist()) == {-1.0, 1.0}
