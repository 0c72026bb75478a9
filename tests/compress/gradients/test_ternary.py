"""lightnn/compress/gradients/ternary.py: random rounding, clipping, and five values in a byte."""

import numpy as np
import pytest

from lightnn.compress import TernGrad, ternarize


def test_the_largest_is_always_sent_and_zero_never():
    for seed in range(20):
        s_t, trits = ternarize(np.array([0.5, 0, -2], np.float32), rng=seed)
        assert s_t == 2 and trits[1] == 0 and trits[2] == -1 and trits[0] in (0, 1)
    assert ternarize(np.zeros(3), rng=0)[0] == 0


def test_unbiased_with_the_variance_of_a_coin(rng):
    g, draws = rng.standard_normal(30).astype(np.float32), 4000
    s_t = np.abs(g).max()
    q = np.stack([s * t for s, t in (ternarize(g, rng) for _ in range(draws))])
    assert (np.abs(q.mean(0) - g) <= 5 * q.std(0) / draws**0.5 + 1e-6).all()
    np.testing.assert_allclose(((q - g) ** 2).mean(0), np.abs(g) * (s_t - np.abs(g)), atol=0.2)


def test_five_values_are_one_byte_by_hand():
    """Trits + 1 of (1, -1, 0, 1, -1): 2 + 0 3 + 1 9 + 2 27 + 0 81 = 65."""
    data = TernGrad((7,), clip=None).encode(np.array([3, -3, 0, 3, -3, 0, 3], np.float32))
    assert data[:-4] == np.float32(3).tobytes() + bytes([65, 1 + 2 * 3])


def test_clipping_is_at_c_standard_deviations(rng):
    g = rng.standard_normal(1000).astype(np.float32)
    g[0] = 100
    codec = TernGrad(g.shape, clip=2.5)
    assert codec.decode(codec.encode(g)).max() == pytest.approx(2.5 * g.std(), rel=1e-6)


def test_a_layer_takes_1_6_bits_a_number():
    assert len(TernGrad((500, 800)).encode(np.ones((500, 800), np.float32))) == 4 + 80_000 + 4
