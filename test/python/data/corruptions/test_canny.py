import numpy as np

from thawline.data.corruptions.canny import canny_edges

NO_UNIFORMS = np.empty((1, 0))


def edges(image: np.ndarray) -> np.ndarray:
    found = canny_edges(image[None].astype(np.uint8), NO_UNIFORMS)[0]
    assert set(np.unique(found)) <= {0, 255}
    return found == 255


def step(left: int, right: int, row_slice: slice = slice(None)) -> np.ndarray:
    image = np.full((28, 28), left)
    image[row_slice, 14:] = right
    return image


def test_a_constant_image_has_no_edges():
    assert not edges(np.zeros((28, 28))).any()
    assert not edges(np.full((28, 28), 255)).any()


def test_a_step_is_a_thin_edge_that_spares_the_border():
    found = edges(step(0, 255))
    assert np.nonzero(found.any(axis=0))[0].tolist() in ([13], [14], [13, 14])
    assert found[1:-1].any(axis=1).all()
    assert not found[[0, -1]].any()


def test_a_square_has_a_closed_outline_and_an_empty_inside():
    image = np.zeros((28, 28))
    image[8:20, 8:20] = 255
    found = edges(image)
    assert not found[10:18, 10:18].any()
    assert not found[:6].any()
    assert not found[:, 22:].any()
    for middle in range(9, 19):
        sides = (found[middle, :14], found[middle, 14:], found[:14, middle], found[14:, middle])
        assert all(side.any() for side in sides)


def test_weak_edges_survive_only_where_they_touch_a_strong_one():
    # The gradient at a step of h is about 2.5 h: 15 / 255 lies between the thresholds 0.1 and 0.2, 40 / 255 above.
    weak = step(100, 115)
    assert not edges(weak).any()
    continued = weak.copy()
    continued[:10, 14:] = 140
    assert edges(continued)[20:27, 12:16].any(axis=1).all()


def test_edges_in_one_image_do_not_reach_into_the_next():
    stack = np.stack([step(100, 115), step(0, 255), step(100, 115)]).astype(np.uint8)
    found = canny_edges(stack, np.empty((3, 0)))
    assert not found[[0, 2]].any()
    np.testing.assert_array_equal(found[1] == 255, edges(step(0, 255)))
