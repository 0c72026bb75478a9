"""lightnn/compress/gradients/qsgd.py: lemma 3.1, the message by hand, and how large it is."""

import numpy as np
import pytest

from lightnn.compress import QSGD, qsgd_levels


def test_levels_by_hand():
    """||(3, 0, -4)|| = 5; with s = 5 every level is a whole number, so nothing is drawn."""
    norm, level = qsgd_levels(np.array([[3, 0, -4], [0, 0, 0]], np.float32), 5, rng=0)
    assert norm.tolist() == [5, 0] and level.tolist() == [[3, 0, -4], [0, 0, 0]]


def test_a_level_is_one_of_the_two_neighbours(rng):
    v = rng.standard_normal((20, 30)).astype(np.float32)
    norm, level = qsgd_levels(v, 4, rng)
    a = 4 * np.abs(v) / norm[:, None]
    assert ((np.abs(level) == np.floor(a)) | (np.abs(level) == np.floor(a) + 1)).all()
    assert (level * v >= 0).all()


@pytest.mark.parametrize("levels", [1, 4, 30])
@pytest.mark.parametrize("n", [2, 64])
def test_unbiased_and_the_variance_keeps_the_bound_of_lemma_3_1(rng, levels, n):
    v, draws = rng.standard_normal(n).astype(np.float32), 4000
    norm, level = qsgd_levels(np.tile(v, (draws, 1)), levels, rng)
    q = norm[:, None] * level / levels
    assert (np.abs(q.mean(0) - v) <= 5 * q.std(0) / draws**0.5 + 1e-6).all()
    bound = min(n / levels**2, n**0.5 / levels) * (v.astype(float) ** 2).sum()
    assert ((q - v) ** 2).sum(1).mean() <= bound


def test_the_message_by_hand():
    """Norm 5 as a float; then 1 + 2 levels not 0, the steps 1 and 2, the levels 3 and 4, the signs + and -."""
    data = QSGD((3,), levels=5).encode(np.array([3, 0, -4], np.float32))
    bits = "110" + "0" + "100" + "110" + "101000" + "0" + "1"
    assert data[:4] == np.float32(5).tobytes()
    assert data[4:-4] == int(bits.ljust(24, "0"), 2).to_bytes(3, "big")


def test_buckets_have_norms_of_their_own():
    codec = QSGD((2, 3), levels=1, bucket=1)
    g = np.array([[1, -2, 3], [0, 5, -6]], np.float32)
    np.testing.assert_array_equal(codec.decode(codec.encode(g)), g)  # with one number in a bucket, a = 1


def test_larger_buckets_and_fewer_levels_are_fewer_bytes(rng):
    g = rng.standard_normal(20_000).astype(np.float32)
    sizes = [len(QSGD(g.shape, levels=s, bucket=d).encode(g)) for s, d in ((127, 512), (7, 512), (1, 512), (1, 4096))]
    assert sizes == sorted(sizes, reverse=True) and sizes[2] < g.nbytes / 30
