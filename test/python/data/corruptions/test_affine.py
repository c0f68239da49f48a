import math

import numpy as np
import pytest

from thawline.data.corruptions.affine import rotate, scale, shear, translate

ROWS, COLUMNS = np.mgrid[:28, :28].astype(float)
CENTRAL = (slice(8, 20), slice(8, 20))
MINUS, PLUS = np.array([[0.2]]), np.array([[0.7]])

# On a linear ramp bilinear interpolation is exact: the warped image shows the coordinate at which each pixel sampled.
COLUMN_RAMP = np.arange(28, dtype=np.uint8)[None, None, :].repeat(28, axis=1)
ROW_RAMP = COLUMN_RAMP.transpose(0, 2, 1)


def sampled_at(corruption, uniforms):
    return corruption(COLUMN_RAMP, uniforms)[0][CENTRAL], corruption(ROW_RAMP, uniforms)[0][CENTRAL]


def assert_samples(corruption, uniforms, x, y):
    sampled_x, sampled_y = sampled_at(corruption, uniforms)
    np.testing.assert_allclose(sampled_x, x[CENTRAL])
    np.testing.assert_allclose(sampled_y, y[CENTRAL])


@pytest.mark.parametrize(("uniforms", "angle"), [(MINUS, -0.4), (PLUS, 0.4)])
def test_shear_has_the_matrix_of_before_scikit_image_0_21(uniforms, angle):
    x, y = COLUMNS - 13.5, ROWS - 13.5
    assert_samples(shear, uniforms, 13.5 + x - math.sin(angle) * y, 13.5 + math.cos(angle) * y)


@pytest.mark.parametrize(("uniforms", "angle"), [(MINUS, -0.4), (PLUS, 0.4)])
def test_rotate_turns_about_the_centre(uniforms, angle):
    x, y = COLUMNS - 13.5, ROWS - 13.5
    sine, cosine = math.sin(angle), math.cos(angle)
    assert_samples(rotate, uniforms, 13.5 + cosine * x - sine * y, 13.5 + sine * x + cosine * y)


def test_scale_shrinks_to_70_percent_about_the_centre():
    no_uniforms = np.empty((1, 0))
    assert_samples(scale, no_uniforms, 13.5 + (COLUMNS - 13.5) / 0.7, 13.5 + (ROWS - 13.5) / 0.7)
    everything_lit = scale(np.full((1, 28, 28), 255, np.uint8), no_uniforms)[0]
    assert everything_lit[5:23, 5:23].min() == pytest.approx(255)
    assert not everything_lit[:3].any()
    assert not everything_lit[:, 25:].any()


@pytest.mark.parametrize("u_x", [0.2, 0.7])
@pytest.mark.parametrize("u_y", [0.2, 0.7])
def test_translate_moves_a_dot_against_the_drawn_shift(u_x, u_y):
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 15] = 200
    moved = translate(image, np.array([[u_x, u_y]]))[0]
    shift_x, shift_y = (3 if u >= 0.5 else -3 for u in (u_x, u_y))
    assert np.argwhere(moved).tolist() == [[10 - shift_y, 15 - shift_x]]
    assert moved.max() == 200


def test_what_comes_from_outside_is_black():
    moved = translate(np.full((1, 28, 28), 255, np.uint8), np.array([[0.7, 0.7]]))[0]
    assert not moved[25:].any()
    assert not moved[:, 25:].any()
    assert (moved[:25, :25] == 255).all()


def test_each_image_has_its_own_direction():
    image = np.repeat(COLUMN_RAMP, 2, axis=0)
    both = rotate(image, np.array([[0.2], [0.7]]))
    np.testing.assert_array_equal(both, np.concatenate([rotate(COLUMN_RAMP, MINUS), rotate(COLUMN_RAMP, PLUS)]))
