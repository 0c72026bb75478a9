"""lightnn/runtime/product.py: layers that compute on codes of blocks."""

import numpy as np
import pytest

from lightnn import nn, runtime
from lightnn.compress import product_quantize
from lightnn.metrics import trace
from lightnn.tensor import Tensor


@pytest.fixture
def model():
    model = nn.Sequential(nn.Conv2d(3, 16, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 16, 40, rng=1))
    product_quantize(model[0].weight, 8, 9)
    product_quantize(model[3].weight, 16, 4)
    return model.eval()


@pytest.mark.parametrize("n", [0, 1, 4, 9])
def test_it_answers_as_the_network_with_the_weights_written_out(model, rng, n):
    x = Tensor(rng.random((n, 3, 6, 6), np.float32))
    lowered = runtime.lower(model)
    assert [type(lowered[i]).__name__ for i in (0, 3)] == ["ProductConv2d", "ProductLinear"]
    np.testing.assert_allclose(lowered(x).data, model(x).data, atol=1e-5)


def test_it_holds_codes_and_centroids(model):
    held = {row.module: row for row in runtime.held_bytes(runtime.lower(model))}
    assert held["3"].parts == {"values": 40 * 64, "codebook": 4 * 16 * 4, "bias": 160}
    assert held["3"].dense == 4 * (40 * 256 + 40)
    assert held["0"].parts == {"values": 48, "codebook": 4 * 8 * 9, "bias": 64}
    assert "8 centroids of 9 weights" in repr(runtime.lower(model)[0])


def test_its_multiplications_are_counted(model):
    row = trace(runtime.lower(model), (1, 3, 6, 6))[-1]
    assert (row.op, row.macs) == ("product_linear", 16 * 256)


def test_errors(model, rng):
    lowered = runtime.lower(model)
    with pytest.raises(ValueError, match=r"ProductLinear: want x \(N, 256\); got x \(2, 255\)"):
        lowered[3](Tensor(rng.random((2, 255), np.float32)))
    with pytest.raises(RuntimeError, match="a lowered network does not train"):
        lowered.train()(Tensor(rng.random((2, 3, 6, 6), np.float32)))
