import torch

from thawline.probes.head_features import head_features
from thawline.probes.loss_surface import HeadSurface, NetworkSurface
from thawline.probes.scope import PerturbedWeights, measuring, resolve_scope


def test_the_head_on_cached_features_has_the_networks_losses_and_gradients(
    network, probe_set, objective, only_head_trainable
):
    only_head_trainable(network)
    scope = resolve_scope(network, "trainable")
    perturbations = 0.1 * torch.randn(3, scope.num_parameters, generator=torch.Generator().manual_seed(0))
    with measuring(network, scope):
        features = head_features(network, objective, probe_set, scope, poll=lambda: None)
        assert features is not None
        heads = [HeadSurface(features, index, batch, scope) for index, batch in enumerate(probe_set.batches)]
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        for batch, head in zip(probe_set.batches, heads, strict=True):
            general = NetworkSurface(network, objective, batch, scope, weights)
            torch.testing.assert_close(head.losses(perturbations), general.losses(perturbations), rtol=1e-5, atol=1e-6)
            for found, expected in zip(
                head.losses_and_gradient(perturbations[0]), general.losses_and_gradient(perturbations[0]), strict=True
            ):
                torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_covers_parameters_that_the_loss_does_not_depend_on(network, points, objective):
    network.unused = torch.nn.Parameter(torch.ones(3))
    scope = resolve_scope(network, "trainable")
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        surface = NetworkSurface(network, objective, points, scope, weights)
        _, gradient = surface.losses_and_gradient(torch.zeros(scope.num_parameters))
    assert gradient.shape == (scope.num_parameters,)
    assert gradient[scope.offsets()[scope.names.index("unused")]].tolist() == [0.0, 0.0, 0.0]


def test_batches_larger_than_a_micro_batch_keep_their_losses_and_mean_gradient(network, points, objective):
    batch = (points[0].repeat(12, 1, 1, 1), points[1].repeat(12))  # 156 points: micro-batches of 64, 64 and 28
    scope = resolve_scope(network, "trainable")
    with measuring(network, scope), PerturbedWeights(scope) as weights:
        surface = NetworkSurface(network, objective, batch, scope, weights)
        losses, gradient = surface.losses_and_gradient(torch.zeros(scope.num_parameters))
        assert torch.equal(losses, surface.losses([torch.zeros(scope.num_parameters)])[0])
        whole = objective.loss(network, batch)
        expected = torch.autograd.grad(whole.mean(), scope.parameters)
    torch.testing.assert_close(losses, whole.detach(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradient, torch.cat([g.reshape(-1) for g in expected]), rtol=1e-4, atol=1e-6)
