"""lightnn/compress/gradients/one_bit.py: signs, means and error feedback."""

import numpy as np

from lightnn.compress import OneBitSGD


def test_by_hand():
    codec = OneBitSGD((2, 4))
    data = codec.encode(np.array([[1, 3, -2, -4], [0, 2, 4, 6]], np.float32))
    assert data[:-4] == np.array([2, -3, 3, 0], np.float32).tobytes() + bytes([0b11001111])
    assert codec.decode(data).tolist() == [[2, 2, -3, -3], [3, 3, 3, 3]]
    assert codec.error.tolist() == [[-1, 1, 1, -1], [-3, -1, 1, 3]]


def test_the_error_comes_back_with_the_next_gradient():
    codec = OneBitSGD((2,))
    codec.encode(np.array([1, 3], np.float32))  # sent (2, 2), left (-1, 1)
    assert codec.decode(codec.encode(np.zeros(2, np.float32))).tolist() == [-1, 1]
    assert codec.error.tolist() == [0, 0]


def test_telescoping_what_was_sent_and_what_is_left_is_the_sum_of_the_gradients(rng):
    codec, total, sent = OneBitSGD((5, 40)), 0, 0
    for _ in range(50):
        g = rng.standard_normal((5, 40)).astype(np.float32)
        total, sent = total + g.astype(np.float64), sent + codec.decode(codec.encode(g)).astype(np.float64)
        np.testing.assert_allclose(sent + codec.error, total, atol=1e-5)
    assert np.abs(codec.error).max() < 10 < 50  # what is left does not grow with the steps


def test_a_weight_takes_a_bit_a_number_and_two_means_a_row():
    assert len(OneBitSGD((500, 800)).encode(np.ones((500, 800), np.float32))) == 500 * 8 + 50_000 + 4
