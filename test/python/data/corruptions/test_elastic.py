import numpy as np
import pytest

from thawline.data.corruptions.elastic import NUM_JITTERS, elastic_transform, num_uniforms

CENTRAL = (0, slice(8, 24), slice(8, 24))
ROWS, COLUMNS = (
    np.broadcast_to(place[None, ..., None], (1, 32, 32, 3)).astype(np.uint8) for place in np.mgrid[:32, :32]
)
STILL = np.full((1, num_uniforms(32)), 0.5)


def test_in_the_middle_of_its_range_every_number_moves_nothing():
    images = np.random.default_rng(0).integers(256, size=(1, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_allclose(elastic_transform(images, STILL, strength=3.2, sigma=1, jitter=2), images, atol=1e-9)


def test_anchors_that_move_together_shift_the_image_along():
    uniforms = STILL.copy()
    uniforms[0, :NUM_JITTERS:2] = 1  # x by +jitter
    uniforms[0, 1:NUM_JITTERS:2] = 0.25  # y by -jitter / 2
    for ramp, shift in [(COLUMNS, -2), (ROWS, 1)]:
        moved = elastic_transform(ramp, uniforms, strength=0, sigma=0, jitter=2)
        np.testing.assert_allclose(moved[CENTRAL], ramp[CENTRAL].astype(float) + shift)


def test_a_moved_anchor_shows_what_was_at_its_old_place():
    uniforms = STILL.copy()
    uniforms[0, :2] = 1, 1  # (26, 26) to (28, 28)
    for ramp in (COLUMNS, ROWS):
        moved = elastic_transform(ramp, uniforms, strength=0, sigma=0, jitter=2)[0, ..., 0]
        assert moved[28, 28] == pytest.approx(26)
        assert moved[6, 6] == pytest.approx(6)
        assert moved[6, 26] == pytest.approx({1: 26, 0: 6}[ramp is COLUMNS])


def test_displacements_have_the_strength_that_is_given():
    uniforms = STILL.copy()
    uniforms[0, NUM_JITTERS : NUM_JITTERS + 1024] = 1  # all of dx
    moved = elastic_transform(COLUMNS, uniforms, strength=1.5, sigma=2, jitter=0)
    np.testing.assert_allclose(moved[CENTRAL], COLUMNS[CENTRAL] + 1.5)
    np.testing.assert_allclose(elastic_transform(ROWS, uniforms, strength=1.5, sigma=2, jitter=0), ROWS, atol=1e-9)
