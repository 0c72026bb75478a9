"""lightnn/compress/quantization/centroids.py: layer after layer, and the steps of centroids."""

import numpy as np
import pytest

import lightnn
from lightnn import nn
from lightnn.compress import CentroidSGD, Product, block_sizes, quantize_blocks
from lightnn.models import cifar_resnet
from lightnn.nn import Parameter
from lightnn.optim import SGD
from lightnn.tensor import Tensor


@pytest.fixture
def model():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, rng=0), nn.ReLU(), nn.Conv2d(4, 16, 3, rng=1), nn.ReLU(), nn.Conv2d(16, 16, 1, rng=2),
        nn.Flatten(), nn.Linear(64, 10, rng=3),
    )  # fmt: skip


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_centroid_moves_by_the_mean_of_its_blocks(rng, momentum):
    """So as if each block were a weight of its own, and then the mean were taken."""
    codes, c = np.array([[0, 0, 2], [0, 2, 0]]), rng.standard_normal((3, 2))
    p = Parameter(np.zeros((2, 6)))
    p.values = Product(c, codes, (2, 6))
    blocks = Parameter(c[codes.ravel()])
    ours, theirs = CentroidSGD([p, p.values.codebook], 0.1, momentum), SGD([blocks], 0.1, momentum)
    for _ in range(3):
        dy = rng.standard_normal((2, 6))
        p().backward(dy)
        blocks.grad = dy.reshape(-1, 2)
        ours.step()
        theirs.step()
        p.values.codebook.grad = None
    for j in (0, 2):
        np.testing.assert_allclose(p.values.codebook.data[j], blocks.data[codes.ravel() == j].mean(0))
    np.testing.assert_array_equal(p.values.codebook.data[1], c[1])


def test_which_layers_have_which_blocks(model):
    assert block_sizes(model) == {"2": 9, "4": 4, "6": 4}
    assert block_sizes(model, kernels=18, pointwise=8) == {"2": 18, "4": 8, "6": 4}
    assert block_sizes(model, linear=7) == {"2": 9, "4": 4}
    grouped = nn.Sequential(nn.Conv2d(4, 4, 3, rng=0), nn.Conv2d(4, 4, 3, groups=4, rng=0), nn.Conv2d(4, 4, 1, rng=0))
    assert block_sizes(grouped) == {"2": 4}


def test_each_layer_sees_what_the_quantized_ones_before_it_give(model, rng, tmp_path):
    x, seen = rng.random((20, 1, 6, 6), np.float32), []

    def tune(network, path):
        kinds = [type(p.values).__name__ for p in network.parameters() if p.ndim > 1 and p.values is not None]
        seen.append((path, len(kinds)))

    made = quantize_blocks(model, x, block_sizes(model), 8, tune=tune)
    assert seen == [("2", 1), ("4", 2), ("6", 3)]
    assert model[2].weight.values is None and isinstance(made[2].weight.values, Product)
    size = lightnn.save(made, tmp_path / "a.lnn")
    np.testing.assert_array_equal(lightnn.load(tmp_path / "a.lnn")(Tensor(x)).data, made(Tensor(x)).data)
    assert size < lightnn.save(model, tmp_path / "b.lnn") / 2


def test_weighted_is_nearer_to_the_outputs_than_plain(rng):
    """Layer by layer on a residual network; inputs of a real layer are far from alike in all directions."""
    model = cifar_resnet(8, 8, rng=0).eval()
    x = rng.random((16, 3, 12, 12), np.float32)
    want, sizes = model(Tensor(x)).data, {"blocks.1.conv1": 9, "blocks.2.conv2": 9}
    sizes = {path: 9 for path, m in model.named_modules() if path in sizes or "conv2" in path}
    errors = [
        np.square(quantize_blocks(model, x, sizes, 16, weighted=weighted)(Tensor(x)).data - want).sum()
        for weighted in (False, True)
    ]
    assert errors[1] < errors[0]


def test_errors(model, rng):
    x = rng.random((2, 1, 6, 6), np.float32)
    for sizes, said in (
        ({"1": 4}, "want paths of Linear layers and convolutions of one group, got 1"),
        ({"2": 0}, r"sizes\['2'\]: want an int >= 1, got 0"),
        ({"6": 7}, "rows are a multiple of d = 7"),
        (["2"], "sizes: want a dict with names as keys"),
    ):
        with pytest.raises(ValueError, match=f"quantize_blocks: .*{said}|blocks_of: .*{said}"):
            quantize_blocks(model, x, sizes)
    with pytest.raises(ValueError, match="quantize_blocks: want x, a batch of finite floats"):
        quantize_blocks(model, np.full((2, 1, 6, 6), np.nan), {"2": 9})
