"""lightnn/models/filternet.py and mobilenet.py: one network, other filters; saved, loaded and trained like any."""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, metrics, models
from lightnn import functional as F

KINDS = ("full", "separable", "grouped", "unshuffled", "shift")


def make(kind, **options):
    return getattr(models, f"filternet_{kind}")(**options)


@pytest.mark.parametrize("kind", KINDS)
def test_forward_backward_and_the_file(kind, rng, tmp_path):
    net, x = make(kind, width=8, rng=0), rng.standard_normal((3, 1, 12, 12), np.float32)
    loss = F.cross_entropy(net(Tensor(x)), np.array([1, 2, 3]))
    loss.backward()
    assert all(p.grad is not None and np.isfinite(p.grad).all() for p in net.parameters())
    lightnn.save(net, tmp_path / "net.lnn")
    again = lightnn.load(tmp_path / "net.lnn")
    np.testing.assert_array_equal(lightnn.predict(again, x), lightnn.predict(net, x))


def test_they_agree_in_everything_but_the_filter():
    nets = [make(kind) for kind in KINDS]
    stems = {metrics.trace(net, (1, 1, 28, 28))[0].macs for net in nets}
    assert len(stems) == 1
    shapes = {tuple(r.out_shape for r in metrics.trace(n, (1, 1, 28, 28)) if r.module in ("pool", "fc")) for n in nets}
    assert shapes == {((1, 64, 1, 1), (1, 10))}


def test_a_separable_block_costs_what_section_3_1_says():
    """1/N + 1/D_K^2 of the full convolution's MACs."""
    full, separable = (metrics.trace(make(kind), (1, 1, 28, 28)) for kind in ("full", "separable"))
    dense = next(r for r in full if r.module == "blocks.1.0")
    parts = [r for r in separable if r.module.startswith("blocks.1.") and r.macs]
    assert sum(r.macs for r in parts) / dense.macs == pytest.approx(1 / 32 + 1 / 9)


def test_without_the_shuffle_the_groups_never_meet(rng):
    """Which inputs the output channels of two grouped convolutions depend on."""
    x = Tensor(rng.standard_normal((1, 16, 3, 3), np.float32), requires_grad=True)
    w = rng.standard_normal((16, 4, 3, 3), np.float32)
    for shuffle, reached in ((False, 4), (True, 16)):
        x.grad = None
        y = F.conv2d(x, w, None, padding=1, groups=4)
        y = F.channel_shuffle(y, groups=4) if shuffle else y
        F.conv2d(y, w, None, padding=1, groups=4)[:, :4].sum().backward()
        assert np.count_nonzero(np.abs(x.grad).sum((0, 2, 3))) == reached


def test_mobilenet_thins_by_its_width(rng):
    half = models.mobilenet_v1(num_classes=10, width_mult=0.5, rng=0)
    assert [c.out_channels for c in half.modules() if hasattr(c, "kernel_size") and c.kernel_size == (1, 1)] == [
        32, 64, 64, 128, 128, *[256] * 6, 512, 512,
    ]  # fmt: skip
    assert half.eval()(Tensor(rng.standard_normal((1, 3, 32, 32), np.float32))).shape == (1, 10)


def test_mobilenet_parameters_at_every_published_width():
    counts = [metrics.count_parameters(models.mobilenet_v1(width_mult=w, rng=0)) for w in (0.75, 0.5, 0.25)]
    assert counts == [2_585_560, 1_331_592, 470_072]
