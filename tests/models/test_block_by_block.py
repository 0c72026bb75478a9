"""lightnn/models/block_by_block.py: blocks by number, counts by hand, the file, and what is refused."""

import numpy as np
import pytest

from lightnn import io, metrics, models
from lightnn.models.mnas import InvertedResidual
from lightnn.tensor import Tensor

SHAPE = (1, 1, 28, 28)


def test_macs_by_hand():
    """Stem 3x3, 1 to 8 on 14 x 14; separable to 16 on 7 x 7; convolution 5x5 to 32 on 4 x 4; classifier."""
    net = models.searched((1, 0), (3, 5), (1, 1), rng=0)
    macs = 9 * 8 * 196 + (9 * 8 + 8 * 16) * 49 + 25 * 16 * 32 * 16 + 320
    assert metrics.count_macs(net, SHAPE) == macs


def test_layers_of_a_block_are_alike_and_the_first_has_the_stride():
    net = models.searched((2, 2), (3, 5), (2, 1), width=4, rng=0)
    blocks = [m for m in net.modules() if isinstance(m, InvertedResidual)]
    assert [b.residual for b in blocks] == [False, True, False]
    outputs = [row.out_shape for row in metrics.trace(net, SHAPE) if row.op == "conv2d"]
    assert outputs[-1] == (1, 16, 4, 4)


@pytest.mark.parametrize("operation", range(len(models.OPERATIONS)))
def test_it_reads_back_from_its_file(operation, tmp_path):
    net = models.searched((operation,) * 2, (3, 3), (1, 2), width=4, rng=1).eval()
    io.save(net, tmp_path / "a.lnn")
    x = Tensor(np.random.default_rng(0).random(SHAPE, np.float32))
    np.testing.assert_array_equal(io.load(tmp_path / "a.lnn")(x).data, net(x).data)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"operations": (3, 0)}, "operations: want ints from 0 to 2"),
        ({"kernels": (4, 3)}, "kernels: want odd ints"),
        ({"depths": (1,)}, "want one to eight ints, as many of each"),
        ({"operations": ()}, "want one to eight ints"),
        ({"width": 0}, "searched: width"),
    ],
)
def test_what_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        models.searched(**given)
