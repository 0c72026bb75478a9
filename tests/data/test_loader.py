"""lightnn/data/loader.py: every example once, in seeded order, as copies."""

import numpy as np
import pytest

from lightnn.data import batches, split_validation


def numbered(n):
    """x whose row i holds i, and y = i."""
    return np.repeat(np.arange(n, dtype=np.float32), 4).reshape(n, 1, 2, 2), np.arange(n)


@pytest.mark.parametrize(("n", "batch_size", "lengths"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 5, [3]), (1, 1, [1])])
@pytest.mark.parametrize("rng", [None, 0])
def test_every_example_comes_once_with_its_label(n, batch_size, lengths, rng):
    x, y = numbered(n)
    parts = list(batches(x, y, batch_size, rng))
    assert [len(xb) for xb, _ in parts] == [len(yb) for _, yb in parts] == lengths
    for xb, yb in parts:
        assert xb.shape[1:] == x.shape[1:]
        assert xb.dtype == x.dtype
        assert xb.flags.c_contiguous
        np.testing.assert_array_equal(xb[:, 0, 0, 0], yb)
    ys = np.concatenate([yb for _, yb in parts])
    assert sorted(ys) == list(range(n))
    if rng is None:
        np.testing.assert_array_equal(ys, y)


def order(rng, n=50):
    return np.concatenate([yb for _, yb in batches(*numbered(n), 7, rng)]).tolist()


def test_shuffle_is_seeded_and_a_generator_goes_on():
    assert order(3) == order(3) == order(np.random.default_rng(3))
    assert order(3) != order(4)
    assert order(3) != list(range(50))
    rng = np.random.default_rng(3)
    first, second = order(rng), order(rng)
    assert first != second


def test_shuffle_is_drawn_at_the_call():
    x, y = numbered(20)
    rng = np.random.default_rng(0)
    waiting = batches(x, y, 5, rng)
    rng.random(100)
    np.testing.assert_array_equal(next(waiting)[1], next(batches(x, y, 5, 0))[1])


@pytest.mark.parametrize("rng", [None, 0])
def test_a_batch_is_a_copy(rng):
    x, y = numbered(6)
    for xb, yb in batches(x, y, 4, rng):
        xb[:] = -1
        yb[:] = -1
    np.testing.assert_array_equal(x, numbered(6)[0])
    np.testing.assert_array_equal(y, np.arange(6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"y": np.arange(5)},
            r"want arrays x \(N, ...\) and y \(N, ...\), N >= 1; got x float32 \(6, 1, 2, 2\), y int64 \(5,\)",
        ),
        ({"x": np.zeros((0, 3)), "y": np.zeros(0)}, r"N >= 1; got x float64 \(0, 3\), y float64 \(0,\)"),
        ({"x": [1, 2, 3, 4, 5, 6]}, r"want arrays x .*got x list"),
        ({"y": np.int64(3)}, r"want arrays x .*got"),
        ({"batch_size": 0}, "batch_size: want an int >= 1, got 0"),
        ({"batch_size": -2}, "batch_size: want an int >= 1, got -2"),
        ({"batch_size": 2.0}, "batch_size: want an int >= 1, got 2.0"),
        ({"batch_size": True}, "batch_size: want an int >= 1, got True"),
    ],
)
def test_batches_refuses_at_the_call(change, message):
    x, y = numbered(6)
    with pytest.raises(ValueError, match="batches: .*" + message):
        batches(**{"x": x, "y": y, "batch_size": 2} | change)


def test_split_is_a_seeded_partition_in_order():
    x, y = numbered(30)
    (x_tr, y_tr), (x_val, y_val) = split_validation(x, y, 7, rng=1)
    assert len(x_val) == len(y_val) == 7
    assert len(x_tr) == len(y_tr) == 23
    assert sorted([*y_tr, *y_val]) == list(range(30))
    for xs, ys in ((x_tr, y_tr), (x_val, y_val)):
        np.testing.assert_array_equal(xs[:, 0, 0, 0], ys)
        assert (np.diff(ys) > 0).all()
    np.testing.assert_array_equal(split_validation(x, y, 7, rng=1)[1][1], y_val)
    assert split_validation(x, y, 7, rng=2)[1][1].tolist() != y_val.tolist()


@pytest.mark.parametrize("n_val", [0, -1, 6, 7, 2.5])
def test_split_refuses_an_empty_part(n_val):
    with pytest.raises(ValueError, match=r"split_validation: (n_val: want an int >= 1|want n_val < 6)"):
        split_validation(*numbered(6), n_val)
    with pytest.raises(ValueError, match="split_validation: want arrays x"):
        split_validation(numbered(6)[0], np.arange(5), 2)
