import numpy as np
import pytest

from thawline.data.corruptions.blur import GLASS_NUM_SWAPS, glass_blur, motion_blur

NO_SWAPS = np.zeros((1, GLASS_NUM_SWAPS))
BOTH_DIAGONAL = 7 / 8  # coin, dy and dx all set


def dot(row: int, column: int) -> np.ndarray:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, row, column] = 255
    return image


def swap_number(row: int, column: int) -> int:
    return (27 - row) * 26 + (27 - column)


def test_without_swaps_glass_blur_smooths_along_rows_only():
    blurred = glass_blur(dot(14, 9), NO_SWAPS)[0]
    lit_rows, lit_columns = np.nonzero(blurred)
    assert set(lit_columns) == {9}
    assert set(lit_rows) > {12, 13, 14, 15, 16}
    np.testing.assert_allclose(blurred[:14:-1, 9][-13:], blurred[1:14, 9])


def test_a_glass_swap_exchanges_two_pixels():
    uniforms = NO_SWAPS.copy()
    uniforms[0, swap_number(15, 15)] = BOTH_DIAGONAL
    still, swapped = (glass_blur(dot(14, 14), u)[0] for u in (NO_SWAPS, uniforms))
    assert set(np.nonzero(swapped)[1]) == {14, 15}
    # Nothing is lost or doubled, as it would be if one pixel were only copied to the other.
    assert swapped.sum() == pytest.approx(still.sum())
    assert swapped[:, 15].sum() == pytest.approx(still[:, 14].sum() * 0.5, rel=0.2)


def test_glass_swaps_follow_one_another_from_the_lower_right():
    # (15, 15) first takes the dot of (14, 14); the second pass carries it on to (16, 16), not the first.
    uniforms = NO_SWAPS.copy()
    uniforms[0, [swap_number(15, 15), swap_number(16, 16)]] = BOTH_DIAGONAL
    assert set(np.nonzero(glass_blur(dot(14, 14), uniforms)[0])[1]) == {14, 15}
    second_pass = NO_SWAPS.copy()
    second_pass[0, [swap_number(15, 15), 26 * 26 + swap_number(16, 16)]] = BOTH_DIAGONAL
    assert set(np.nonzero(glass_blur(dot(14, 14), second_pass)[0])[1]) == {14, 16}


def test_level_motion_blur_is_a_one_sided_gaussian_streak():
    blurred = motion_blur(dot(14, 25), np.array([[0.5]]))[0]
    weights = np.exp(-(np.arange(21) ** 2) / 18)
    np.testing.assert_allclose(blurred[14, 25:4:-1], 255 * weights / weights.sum())
    assert not blurred[:, 26:].any()
    assert not np.delete(blurred, 14, axis=0).any()


@pytest.mark.parametrize(("uniform", "slope"), [(0.0, -1), (1 - 2**-53, 1)])
def test_the_steepest_motion_blur_runs_along_a_diagonal(uniform, slope):
    blurred = motion_blur(dot(14, 14), np.array([[uniform]]))[0]
    rows, columns = np.nonzero(blurred > 1e-9)
    np.testing.assert_allclose(14 - rows, slope * (14 - columns))
    assert columns.max() == 14


@pytest.mark.parametrize("uniform", [0.0, 0.2, 0.5, 0.9])
def test_motion_blur_keeps_a_constant_image_because_edges_repeat(uniform):
    np.testing.assert_allclose(motion_blur(np.full((1, 28, 28), 77, np.uint8), np.array([[uniform]])), 77)
