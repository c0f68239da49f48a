"""Against what OpenCV's operations are defined to give; whole-picture agreement with OpenCV 5.0 was checked by hand."""

import numpy as np

from thawline.data.corruptions import water
from thawline.data.corruptions.water import canny_edges, depth_of_water, equalize_histogram


def square() -> np.ndarray:
    image = np.zeros((1, 32, 32), np.uint8)
    image[0, 10:20, 12:24] = 200
    return image


def test_the_edge_of_a_square_is_thin_and_closed():
    edges = canny_edges(square())[0]
    assert not edges[13:17, 15:21].any()
    assert not edges[:8].any()
    assert edges[12:18].any(axis=1).all()
    # Of two equally steep columns the left one, and of two rows the upper one, is kept.
    assert np.nonzero(edges[15])[0].tolist() == [11, 23]
    assert np.nonzero(edges[:, 17])[0].tolist() == [9, 19]


def test_faint_edges_are_kept_only_beside_strong_ones():
    faint = np.zeros((1, 32, 32), np.uint8)
    faint[0, :, 16:] = 20  # gradient 80: between the thresholds
    assert not canny_edges(faint).any()
    faint[0, :4, 16:] = 100
    assert canny_edges(faint)[0, 20:28].any(axis=1).all()


def test_distances_are_chamfer_lengths():
    edges = np.zeros((2, 32, 32), bool)
    edges[0, 10, 10] = True
    distance = water._distance_to(edges)
    assert distance[0, 10, 10] == 0
    np.testing.assert_allclose(
        [distance[0, 10, 15], distance[0, 13, 13], distance[0, 11, 12], distance[0, 12, 15]],
        [5, 3 * 1.4, 2.1969, 2 * 2.1969 + 1],
        rtol=1e-6,
    )
    assert np.isinf(distance[1]).all()


def test_equalized_levels_follow_their_cumulative_frequency():
    image = np.array([[[7, 7, 7, 7], [9, 9, 20, 20]]], np.uint8)
    # Lowest to 0; after it 2 and 4 of the 4 other pixels: 127.5, rounded to even, and 255.
    assert equalize_histogram(image).tolist() == [[[0, 0, 0, 0], [128, 128, 255, 255]]]
    constant = np.full((1, 4, 4), 20, np.uint8)
    np.testing.assert_array_equal(equalize_histogram(constant), constant)


def test_without_edges_the_depth_is_that_of_the_farthest_distance():
    np.testing.assert_array_equal(depth_of_water(np.zeros((1, 32, 32), np.uint8)), 20)


def test_images_do_not_depend_on_their_neighbours():
    drops = np.random.default_rng(0).integers(150, 256, size=(4, 32, 32)).astype(np.uint8)
    drops[drops < 220] = 0
    np.testing.assert_array_equal(depth_of_water(drops)[2:3], depth_of_water(drops[2:3]))
