import numpy as np
import pytest

from thawline.data.corruptions.glass import glass_blur_colour, glass_blur_grey, num_disturbances

NO_SWAPS = np.zeros((1, num_disturbances(28, passes=2)))
BOTH_DIAGONAL = 7 / 8  # coin, dy and dx all set


def dot(row: int, column: int) -> np.ndarray:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, row, column] = 255
    return image


def glass_blur(images: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    return glass_blur_grey(images, uniforms, sigma=0.7, passes=2)


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


NO_COPIES = np.zeros((1, num_disturbances(32, passes=1)))


def colour_dot(row: int, column: int) -> np.ndarray:
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[0, row, column] = (255, 128, 0)
    return image


def lit(pixels: np.ndarray) -> list[tuple[int, int]]:
    return [tuple(place) for place in np.argwhere(pixels[0].any(axis=2)).tolist()]


def test_on_colour_images_pixels_are_copied_and_what_was_there_is_lost():
    # A blur of sigma 0.05 reaches no neighbour, so that the dots stay points.
    uniforms = NO_COPIES.copy()
    uniforms[0, (31 - 15) * 30 + (31 - 15)] = 3 / 4  # (15, 15) takes the colour of (14, 14)
    copied = glass_blur_colour(colour_dot(14, 14), uniforms, sigma=0.05, passes=1)
    assert lit(copied) == [(14, 14), (15, 15)]
    np.testing.assert_allclose(copied[0, 15, 15], [255, 128, 0])
    overwritten = glass_blur_colour(colour_dot(15, 15), uniforms, sigma=0.05, passes=1)
    assert lit(overwritten) == []


def test_without_copies_the_colour_blur_is_two_blurs_and_spares_the_channels():
    once = glass_blur_colour(colour_dot(14, 14), NO_COPIES, sigma=0.4, passes=1)[0]
    assert once[..., 0].sum() == pytest.approx(255, rel=0.02)  # cut to whole numbers between the blurs
    assert not once[..., 2].any()
    np.testing.assert_allclose(once, once.transpose(1, 0, 2), atol=1e-9)


def test_each_pass_needs_a_number_for_each_visited_pixel():
    assert num_disturbances(28, passes=2) == 2 * 26**2
    assert num_disturbances(32, passes=1) == 30**2
