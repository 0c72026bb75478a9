"""lightnn/models/shufflenet.py and shiftnet.py: published counts; forward, backward and the file."""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, metrics, models
from lightnn import functional as F


@pytest.mark.parametrize(
    ("groups", "width", "macs", "parameters"),
    [
        (1, 1, 143, 1.5),
        (2, 1, 141, 1.7),
        (3, 1, 137, 1.9),
        (4, 1, 134, 2.0),
        (8, 1, 138, 2.4),
        (3, 2, 524, 5.4),
        (8, 2, 522, 6.5),
        (3, 0.5, 38, 0.7),
    ],
)
def test_shufflenet_counts_are_the_published_ones(groups, width, macs, parameters):
    """Table 1: 143, 140, 137, 133 and 137 million MACs, ours within 1 %. At 2 x, and the parameters for g = 3 and 8:
    the table of the authors' repository."""
    net = models.shufflenet_v1(groups, width, rng=0)
    fc = net.fc.weight.size  # at 32 x 32 every map is 1/49; the classifier stays
    counted = (metrics.count_macs(net, (1, 3, 32, 32)) - fc) * 49 + fc
    assert round(counted / 1e6) == macs
    assert metrics.count_parameters(net) / 1e6 == pytest.approx(parameters, abs=0.06)


@pytest.mark.parametrize(
    ("depth", "expansion", "parameters"), [(20, 1, 34_906), (20, 3, 95_642), (20, 9, 277_850), (110, 6, 1_177_946)]
)
def test_shift_resnet_counts_are_the_published_ones(depth, expansion, parameters):
    """The authors' README: 95,642 for 20 layers at expansion 3; 0.03, 0.28 and 1.18 million for the others."""
    assert metrics.count_parameters(models.shift_resnet(depth, expansion, rng=0)) == parameters


@pytest.mark.parametrize(
    "make",
    [
        lambda: models.shufflenet_v1(3, 0.5, num_classes=10, rng=0),
        lambda: models.shift_resnet(8, 2, rng=0),
    ],
    ids=["shufflenet", "shift_resnet"],
)
def test_forward_backward_and_the_file(make, rng, tmp_path):
    net, x = make(), rng.standard_normal((3, 3, 32, 32), np.float32)
    F.cross_entropy(net(Tensor(x)), np.array([1, 2, 3])).backward()
    assert all(np.isfinite(p.grad).all() for p in net.parameters())
    lightnn.save(net, tmp_path / "net.lnn")
    np.testing.assert_array_equal(lightnn.predict(lightnn.load(tmp_path / "net.lnn"), x), lightnn.predict(net, x))


def test_what_the_tables_do_not_have_is_refused():
    with pytest.raises(ValueError, match=r"want groups from table 1, one of \[1, 2, 3, 4, 8\]; got 5"):
        models.shufflenet_v1(5)
    with pytest.raises(ValueError, match="want a depth of 6 n"):
        models.shift_resnet(9)
