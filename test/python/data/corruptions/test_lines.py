import math

import numpy as np
import pytest

from thawline.data.corruptions.lines import dotted_line, zigzag

BLACK = np.zeros((1, 28, 28), np.uint8)
ONE_ROW_OFF = 255 * (1 + math.log(1 - 1 / 2.3))


def drawn(row: int, below: int = 27) -> float:
    """The uniform number from which the integer `row` of range(below) is drawn."""
    return (row + 0.5) / below


def test_a_level_dotted_line():
    image = dotted_line(BLACK, np.array([[drawn(10), drawn(10)]]))[0]
    shown = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26]
    assert np.nonzero(image.any(axis=0))[0].tolist() == shown
    np.testing.assert_allclose(image[9:12, shown], np.tile([[ONE_ROW_OFF], [255], [ONE_ROW_OFF]], len(shown)))
    assert not np.delete(image, [9, 10, 11], axis=0).any()


def test_a_steep_dotted_line_runs_from_its_first_to_its_last_row():
    image = dotted_line(BLACK, np.array([[drawn(0), drawn(26)]]))[0]
    for column in (2, 11, 26):
        brightest = image[:, column].argmax()
        assert abs(brightest - 26 / 27 * column) <= 0.5


def test_lines_add_to_the_digit_up_to_white():
    digit = np.full((1, 28, 28), 200, np.uint8)
    image = dotted_line(digit, np.array([[drawn(10), drawn(10)]]))[0]
    assert (image[10, 2], image[9, 2], image[10, 4]) == pytest.approx((255, 255, 200))


def test_a_level_zigzag():
    image = zigzag(BLACK, np.array([[drawn(12), drawn(5, below=10)]]))[0]  # rise 5 - 5 = 0
    for column, row in [(2, 12), (4, 14), (8, 10), (12, 14), (16, 10), (20, 14), (24, 10)]:
        assert image[row, column] == pytest.approx(255)
    for column in (6, 10, 14, 18, 22):
        assert image[12, column] == pytest.approx(255)
        assert image[12 - 4, column] == image[12 + 4, column] == 0
    assert not image[:, :2].any()
    assert not image[:, 25:].any()


@pytest.mark.parametrize("rise", range(-5, 5))
def test_a_zigzag_follows_its_base_line(rise):
    image = zigzag(BLACK, np.array([[drawn(13), drawn(rise + 5, below=10)]]))[0]
    lit_rows = image[:, 3:24] * np.arange(28)[:, None]
    centre_of_ink = lit_rows.sum(axis=0) / image[:, 3:24].sum(axis=0)
    base_line = 13 + rise / 23 * (np.arange(3, 24) - 2)
    assert abs((centre_of_ink - base_line).mean()) < 0.5
    assert abs(centre_of_ink - base_line).max() < 2.5
