import numpy as np
import pytest

from thawline.data.corruptions.motion import motion_blur, streak


def dot(row: int, column: int) -> np.ndarray:
    image = np.zeros((1, 28, 28))
    image[0, row, column] = 255
    return image


def test_a_level_streak_is_a_one_sided_gaussian():
    blurred = streak(dot(14, 25), np.array([0.0]), radius=10, sigma=3)[0]
    weights = np.exp(-(np.arange(21) ** 2) / 18)
    np.testing.assert_allclose(blurred[14, 25:4:-1], 255 * weights / weights.sum())
    assert not blurred[:, 26:].any()
    assert not np.delete(blurred, 14, axis=0).any()


@pytest.mark.parametrize(("degrees", "slope"), [(-45.0, -1), (45.0, 1)])
def test_a_steep_streak_runs_along_a_diagonal(degrees, slope):
    blurred = streak(dot(14, 14), np.array([degrees]), radius=10, sigma=3)[0]
    rows, columns = np.nonzero(blurred > 1e-9)
    np.testing.assert_allclose(14 - rows, slope * (14 - columns))
    assert columns.max() == 14


def test_offsets_follow_imagemagicks_rounding():
    # At 30 degrees step i falls on ceil(i cos - 1/2), ceil(i sin - 1/2): (1, 0), (2, 1), (3, 1), (3, 2), ...
    blurred = streak(dot(20, 20), np.array([30.0]), radius=2, sigma=100)[0]
    assert np.argwhere(blurred > 1).tolist() == [[18, 17], [19, 17], [19, 18], [20, 19], [20, 20]]


def test_a_streak_of_snow_falls_downwards():
    rows, columns = np.nonzero(streak(dot(5, 14), np.array([-90.0]), radius=3, sigma=2)[0])
    assert set(columns) == {14}
    assert rows.tolist() == list(range(5, 12))


@pytest.mark.parametrize("uniform", [0.0, 0.2, 0.5, 0.9])
def test_motion_blur_keeps_a_constant_image_because_edges_repeat(uniform):
    for shape in [(1, 28, 28), (1, 32, 32, 3)]:
        image = np.full(shape, 77, np.uint8)
        np.testing.assert_array_equal(motion_blur(image, np.array([[uniform]]), radius=9, sigma=2.5), 77)


def test_motion_blur_gives_whole_numbers_and_keeps_channels_apart():
    image = np.random.default_rng(0).integers(256, size=(3, 32, 32, 3), dtype=np.uint8)
    uniforms = np.array([[0.0], [0.5], [0.99]])
    blurred = motion_blur(image, uniforms, radius=6, sigma=2)
    np.testing.assert_array_equal(blurred, np.rint(blurred))
    np.testing.assert_array_equal(blurred[..., 1], motion_blur(image[..., 1], uniforms, radius=6, sigma=2))
