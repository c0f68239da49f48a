import numpy as np
import pytest

from thawline.data.corruptions.plasma import plasma_maps


def test_the_smallest_map_by_hand():
    # w * U(-w, w) with w = 100 and 3/4 for the centre only: 5000 there, a quarter of twice that beside it.
    maps = plasma_maps(np.array([[0.75, 0.5, 0.5]]), side=2, decay=1.4)
    np.testing.assert_allclose(maps[0], [[0, 0.5], [0.5, 1]])


def test_the_noise_decays_with_the_square_of_w():
    # Level one as above, scaled to 4 x 4. On level two w is 100 / 2, so 3/4 adds 2500 / 2 to the centre's mean of 2500.
    uniforms = np.full((1, 15), 0.5)
    uniforms[0, [0, 3]] = 0.75
    maps = plasma_maps(uniforms, side=4, decay=2)
    np.testing.assert_allclose(maps[0, ::2, ::2], [[0, 0.5], [0.5, 1]])
    assert maps[0, 1, 1] == pytest.approx((2500 + 1250) / 5000)
    assert maps[0, 1, 3] == pytest.approx(0.5)


def test_maps_fill_the_range_and_do_not_depend_on_their_neighbours():
    uniforms = np.random.default_rng(0).random((5, 31 * 33))
    maps = plasma_maps(uniforms, side=32, decay=1.4)
    np.testing.assert_array_equal(maps.min(axis=(1, 2)), 0)
    np.testing.assert_array_equal(maps.max(axis=(1, 2)), 1)
    np.testing.assert_array_equal(plasma_maps(uniforms[3:4], side=32, decay=1.4)[0], maps[3])


def test_maps_wrap_around():
    # On a torus the step over the edge is like any other; with a seam it would be as large as the whole map.
    maps = plasma_maps(np.random.default_rng(1).random((20, 255)), side=16, decay=3)
    inside = np.abs(np.diff(maps, axis=2)).mean()
    across_the_edge = np.abs(maps[:, :, 0] - maps[:, :, -1]).mean()
    assert across_the_edge < 2 * inside
