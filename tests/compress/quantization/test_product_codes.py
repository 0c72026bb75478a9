"""lightnn/compress/quantization/product_codes.py: k-means of blocks, in the norm of a layer's inputs."""

import itertools

import numpy as np
import pytest

from lightnn import functional as F
from lightnn import nn
from lightnn.compress import Product, blocks_of, product_quantize
from lightnn.compress.quantization.product_codes import (
    best_centroids,
    clamped,
    input_blocks,
    input_gram,
    nearest_blocks,
    product_bytes,
    split_largest,
    weighted_error,
)
from lightnn.nn import Parameter
from lightnn.tensor import Tensor


def loss(x, v, c, codes):
    return (((v - c[codes]) @ x.T) ** 2).sum()


def test_the_e_step_finds_the_nearest_by_the_definition(rng):
    v, c, x = rng.standard_normal((50, 3)), rng.standard_normal((6, 3)), rng.standard_normal((9, 3))
    want = [np.argmin([((x @ (b - a)) ** 2).sum() for a in c]) for b in v]
    got = nearest_blocks(v, c, x.T @ x)
    assert got.dtype == np.int64 and got.tolist() == want
    assert nearest_blocks(v, c, np.zeros((3, 3))).tolist() == [0] * 50, "equally near: the first"


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_no_centroids_are_better_than_the_m_steps(rng, rank):
    """Least squares agrees, also where the inputs do not span all directions."""
    x = rng.standard_normal((20, rank)) @ rng.standard_normal((rank, 4))
    v, c, codes = rng.standard_normal((30, 4)), rng.standard_normal((3, 4)), rng.integers(0, 2, 30)
    kept = c.copy()
    got = best_centroids(v, codes, c, x.T @ x)
    np.testing.assert_array_equal(got[2], c[2])
    np.testing.assert_array_equal(c, kept)
    for j in (0, 1):
        own = v[codes == j]
        want = np.linalg.lstsq(np.tile(x, (len(own), 1)), np.concatenate([x @ b for b in own]), rcond=None)[0]
        np.testing.assert_allclose(got[j], want, atol=1e-10)
        if rank == 4:
            np.testing.assert_allclose(got[j], own.mean(0), atol=1e-10)


def test_the_cost_is_that_of_the_definition_and_neither_step_raises_it(rng):
    v, c, x = rng.standard_normal((30, 4)), rng.standard_normal((5, 4)), rng.standard_normal((7, 4))
    codes, costs = rng.integers(0, 5, 30), []
    for _ in range(4):
        assert weighted_error(v, c, codes, x.T @ x) == pytest.approx(loss(x, v, c, codes))
        codes = nearest_blocks(v, c, x.T @ x)
        costs.append(weighted_error(v, c, codes, x.T @ x))
        c = best_centroids(v, codes, c, x.T @ x)
        costs.append(weighted_error(v, c, codes, x.T @ x))
    assert all(b <= a * (1 + 1e-9) for a, b in itertools.pairwise(costs))


def test_an_empty_centroid_takes_half_of_the_largest(rng):
    c, codes = np.arange(6.0).reshape(3, 2), np.array([1, 1, 1, 0])
    new = split_largest(codes, c, rng)
    np.testing.assert_allclose(new, [[0, 1], [2, 3], [2, 3]], atol=1e-6)
    assert (new[1] != new[2]).any() and (c == np.arange(6.0).reshape(3, 2)).all()
    np.testing.assert_allclose((new[1] + new[2]) / 2, [2, 3], atol=1e-15)


def test_how_many_centroids_a_layer_bears():
    assert [clamped(256, n) for n in (1, 4, 8, 9, 1024, 1025, 2048, 10**6)] == [1, 1, 1, 2, 128, 256, 256, 256]
    assert clamped(3, 100) == 3


def test_the_bytes_of_an_example():
    assert product_bytes(64 * 64 * 9, 9, 256) == 64 * 64 + 2 * 256 * 9


def test_windows_of_a_convolution_are_cut_like_its_weights(rng):
    layer = nn.Conv2d(4, 5, (3, 2), stride=(1, 2), padding=(1, 0), dilation=(2, 1), rng=0)
    x = rng.standard_normal((2, 4, 7, 6)).astype(np.float32)
    d = 6
    rows = input_blocks(layer, x, d).reshape(-1, 4, d)
    y = np.einsum("rnd,ond->ro", rows, blocks_of(layer.weight.data, d).reshape(5, 4, d))
    want = F.conv2d(x, layer.weight, stride=(1, 2), padding=(1, 0), dilation=(2, 1)).data
    np.testing.assert_allclose(y, want.transpose(0, 2, 3, 1).reshape(-1, 5), atol=1e-5)
    G = input_gram(layer, x, d, batch_size=1)
    np.testing.assert_allclose(G, rows.reshape(-1, d).T @ rows.reshape(-1, d) / (rows.size / d), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"want a Linear or a Conv2d of one group, got Conv2d"):
        input_blocks(nn.Conv2d(4, 4, 3, groups=4, rng=0), x, d)


def test_inputs_that_matter_are_kept_better(rng):
    """Beside plain product quantization, at the same bytes: less error in the outputs, more in the weights."""
    layer = nn.Linear(16, 40, bias=False, rng=rng)
    x = rng.standard_normal((200, 16)).astype(np.float32) * np.tile([4, 1, 0.2, 0.05], 4)
    w = layer.weight.data
    errors = []
    for G in (None, input_gram(layer, x, 4)):
        p = Parameter(w.copy())
        made = product_quantize(p, 8, 4, G, rng=0)
        assert p.values is made and made.codes.shape == (40, 4) and len(made.codebook) == 8
        errors.append((np.square(x @ (p().data - w).T).sum(), np.square(p().data - w).sum()))
    assert errors[1][0] < 0.7 * errors[0][0] and errors[1][1] > errors[0][1]


def test_a_small_case_reaches_the_best_of_all_assignments(rng):
    v = np.concatenate([rng.normal(-1, 0.1, (4, 2)), rng.normal(1, 0.1, (4, 2))])
    p = Parameter(v.reshape(1, -1).copy())
    product_quantize(p, 2, 2, rng=0)  # clamped to one
    assert len(p.values.codebook) == 1
    p = Parameter(np.tile(v, (3, 1)).reshape(3, -1).copy())  # 24 blocks: up to four
    product_quantize(p, 2, 2, rng=0)
    blocks = blocks_of(p.data, 2)
    best = min(
        sum(np.square(g - g.mean(0)).sum() for g in (v[list(a)], v[list(set(range(8)) - set(a))]))
        for n in range(1, 8)
        for a in itertools.combinations(range(8), n)
    )
    assert np.square(p().data.reshape(-1, 2) - blocks).sum() == pytest.approx(3 * best, rel=1e-6)


def test_iterations_never_make_it_worse(rng):
    w, x = rng.standard_normal((20, 12)), rng.standard_normal((40, 3))
    errors = []
    for iterations in range(6):
        p = Parameter(w.copy())
        product_quantize(p, 8, 3, x.T @ x, iterations, rng=3)
        errors.append(loss(x, blocks_of(w, 3), p.values.codebook.data, p.values.codes.ravel()))
    assert all(b <= a * (1 + 1e-6) for a, b in itertools.pairwise(errors)) and errors[-1] < errors[0]


def test_errors():
    p = Parameter(np.zeros((4, 6), np.float32))
    cases = [
        ({"k": 0, "d": 2}, "product_quantize: k: want an int"),
        ({"k": 2, "d": 4}, "rows are a multiple of d = 4"),
        ({"k": 2, "d": 2, "G": np.zeros((3, 3))}, r"want a symmetric G \(2, 2\), got shape \(3, 3\)"),
        ({"k": 2, "d": 2, "G": np.full((2, 2), np.inf)}, "product_quantize: G: want finite numbers"),
        ({"k": 2, "d": 2, "iterations": -1}, "iterations: want an int >= 0"),
    ]
    for options, said in cases:
        with pytest.raises(ValueError, match=said):
            product_quantize(p, **options)
    p.data[0, 0] = np.nan
    with pytest.raises(ValueError, match="product_quantize: p: want finite numbers, got 1 of 24"):
        product_quantize(p, 2, 2)


def test_it_trains_its_centroids(rng):
    layer = nn.Linear(8, 16, bias=False, rng=rng)
    product_quantize(layer.weight, 4, 4)
    assert isinstance(layer.weight.values, Product)
    names = [name for name, _ in layer.named_parameters()]
    layer(Tensor(rng.standard_normal((3, 8)).astype(np.float32))).backward(np.ones((3, 16), np.float32))
    assert any("codebook" in name for name in names)
    assert layer.weight.grad is None and layer.weight.values.codebook.grad.shape == (4, 4)
