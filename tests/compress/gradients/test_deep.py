"""lightnn/compress/gradients/deep.py: momentum correction, masking, warm-up, clipping."""

import numpy as np
import pytest

from lightnn.compress import DeepGradientCompression as DGC
from lightnn.compress.gradients.deep import WARM_UP, clipped, largest


def test_by_hand_over_two_steps():
    """m = 1/2, one of four is sent: u = v = g; then u = (2, 0, 1, 1/2) + 1, v = (4, 0, 2, 1) + u."""
    codec = DGC((4,), sparsity=0.75, momentum=0.5)
    assert codec.decode(codec.encode(np.array([4, -8, 2, 1], np.float32))).tolist() == [0, -8, 0, 0]
    assert codec.u.tolist() == codec.v.tolist() == [4, 0, 2, 1]
    assert codec.decode(codec.encode(np.ones(4, np.float32))).tolist() == [7, 0, 0, 0]
    assert codec.u.tolist() == [0, 1, 2, 1.5] and codec.v.tolist() == [0, 1, 4, 2.5]


def loop(gradients, m, count):
    """Algorithm 4 without clipping, a number at a time: what is sent in each step."""
    u, v, sent = np.zeros_like(gradients[0]), np.zeros_like(gradients[0]), []
    for g in gradients:
        u, out = np.float32(m) * u + g, np.zeros_like(g)
        v = v + u
        for i in sorted(range(len(g)), key=lambda i, v=v: -abs(v[i]))[:count]:
            out[i], v[i], u[i] = v[i], 0, 0
        sent.append(out)
    return sent


@pytest.mark.parametrize("m", [0.0, 0.9])
def test_it_is_algorithm_4(rng, m):
    gradients = rng.standard_normal((12, 50)).astype(np.float32)
    codec = DGC((50,), sparsity=0.9, momentum=m)
    for g, want in zip(gradients, loop(gradients, m, 5)):
        np.testing.assert_allclose(codec.decode(codec.encode(g)), want, rtol=1e-5, atol=1e-6)


def test_telescoping_without_momentum_nothing_is_lost(rng):
    codec, total, sent = DGC((200,), sparsity=0.99, momentum=0.0), 0, 0
    for _ in range(50):
        g = rng.standard_normal(200).astype(np.float32)
        total, sent = total + g.astype(np.float64), sent + codec.decode(codec.encode(g)).astype(np.float64)
        np.testing.assert_allclose(sent + codec.v, total, atol=1e-5)


def test_if_all_is_sent_the_momentum_is_masked_away_and_the_gradient_is_what_comes(rng):
    codec = DGC((3, 7), sparsity=0.0)
    for _ in range(3):
        g = rng.standard_normal((3, 7)).astype(np.float32)
        np.testing.assert_array_equal(codec.decode(codec.encode(g)), g)


def test_warm_up_sends_less_and_less():
    codec, counts = DGC((10_000,), warm_up_steps=2), []
    for _ in range(12):
        found = codec.decode(codec.encode(np.random.default_rng(0).standard_normal(10_000)))
        counts.append(int(np.count_nonzero(found)))
    assert counts == [2500] * 2 + [625] * 2 + [156] * 2 + [40] * 2 + [10] * 4
    assert WARM_UP == (0.75, 0.9375, 0.984375, 0.996)


def test_clipping_is_to_the_norm_over_the_root_of_the_workers():
    g = np.array([3, 4], np.float32)
    np.testing.assert_allclose(clipped(g, 1.0), [0.6, 0.8], rtol=1e-6)
    assert clipped(g, 5.0) is g
    codec = DGC((2,), sparsity=0.0, clip=2.0, workers=4)
    np.testing.assert_allclose(codec.decode(codec.encode(g)), [0.6, 0.8], rtol=1e-6)


def test_the_largest_are_chosen_in_ascending_places(rng):
    v = rng.standard_normal(100)
    found = largest(v, 10)
    assert (np.diff(found) > 0).all()
    assert np.abs(v[found]).min() >= np.sort(np.abs(v))[-10]


def test_a_message_of_a_thousandth_is_more_than_400_times_smaller(rng):
    g = rng.standard_normal((500, 800)).astype(np.float32)
    assert len(DGC(g.shape).encode(g)) < g.nbytes / 400
    assert len(DGC((10,)).encode(g[0, :10])) < 12  # one number of a small parameter
