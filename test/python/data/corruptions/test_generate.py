import numpy as np

from thawline.data.corruptions.conventions import Corruption
from thawline.data.corruptions.generate import MAX_CHUNK_NUMBERS, generate


def shares(images, uniforms):
    """Every pixel of an image becomes its first uniform number, in 0..255."""
    return np.broadcast_to(255 * uniforms[:, :1, None], images.shape)


def test_images_have_streams_of_their_own_in_any_chunk():
    images = np.zeros((7, 4, 4), np.uint8)
    one_per_chunk = generate(images, Corruption(shares, MAX_CHUNK_NUMBERS), key=5, to_whole=np.rint)
    together = generate(images, Corruption(shares, 1), key=5, to_whole=np.rint)
    np.testing.assert_array_equal(one_per_chunk, together)
    assert len(set(together[:, 0, 0].tolist())) > 3
    assert (generate(images, Corruption(shares, 1), key=6, to_whole=np.rint) != together).any()


def test_pixels_are_clipped_before_they_become_whole_numbers():
    images = np.array([[[0, 1], [2, 3]]], np.uint8)
    for to_whole, expected in [(np.rint, [[0, 2], [100, 255]]), (np.trunc, [[0, 1], [99, 255]])]:
        pixels = np.array([[[-3.7, 1.5], [99.6, 300]]])
        corrupted = generate(images, Corruption(lambda images, uniforms, p=pixels: p, 0), 0, to_whole)
        assert corrupted[0].tolist() == expected
