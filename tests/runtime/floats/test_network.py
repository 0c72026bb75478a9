"""lightnn/runtime/floats: a lowered float network gives what the network gives, whatever it is made of."""

import copy
import threading

import numpy as np
import pytest
from numba import config

from lightnn import functional as F
from lightnn import models, nn, runtime
from lightnn.tensor import Tensor, no_grad

TOLERANCE = 1e-5  # of the largest output


def settled(model, seed=0):
    """The model in eval mode, its batch norms with statistics that differ from channel to channel."""
    rng = np.random.default_rng(seed)
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d):
            m.running_mean = rng.standard_normal(m.num_features).astype(np.float32) / 4
            m.running_var = rng.uniform(0.5, 2, m.num_features).astype(np.float32)
            m.bias.data = rng.standard_normal(m.num_features).astype(np.float32) / 4
    return model.eval()


def check(model, shape, programmed=True, seed=0):
    """Lower it, and compare; returns the lowered network."""
    lowered = runtime.lower(settled(model))
    x = np.random.default_rng(seed).standard_normal(shape, np.float32)
    with no_grad():
        want = model(Tensor(x)).data
    got = lowered(Tensor(x)).data
    assert (lowered.why == "") is programmed, lowered.why
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE * np.abs(want).max())
    return lowered


class Block(nn.Module):
    """What residual, concatenating, shuffling and gating networks are made of."""

    def __init__(self, way, c=20):
        self.way = way
        self.conv1, self.bn1 = nn.Conv2d(c, c, 3, 1, 1, bias=False, rng=0), nn.BatchNorm2d(c)
        self.conv2, self.conv3 = nn.Conv2d(c, c, 1, rng=1), nn.Conv2d(2 * c, c, 1, rng=2)
        self.half, self.depthwise = nn.Conv2d(c // 2, c, 1, rng=3), nn.Conv2d(c, c, 5, 1, 2, groups=c, rng=4)
        self.grouped, self.act, self.means = (
            nn.Conv2d(c, c, 3, 1, 1, groups=2, rng=5),
            nn.ReLU6(),
            nn.AdaptiveAvgPool2d(1),
        )

    def forward(self, x):
        y = self.act(self.bn1(self.conv1(x)))
        return getattr(self, self.way)(x, y)

    def residual(self, x, y):
        return F.relu(self.conv2(y) + x)

    def projected(self, x, y):
        return F.relu(self.conv2(y) + self.grouped(x))

    def added_twice(self, x, y):
        return (x + y) + x

    def concatenated(self, x, y):
        return self.conv3(F.concat([y, self.conv2(x)], 1))

    def shuffled(self, x, y):
        both = F.channel_shuffle(F.concat([x, y], 1), groups=2)
        return F.concat([both[:, :15], self.half(both[:, 15:25])], 1)

    def lanes(self, x, y):
        """Operands whose channels lie in different slots of a pixel."""
        return F.channel_shuffle(x, groups=2) + y

    def gated(self, x, y):
        return self.conv2(y * F.sigmoid(self.conv2(self.means(y))))

    def option_a(self, x, y):
        """Every second pixel, and zeros for new channels."""
        x = F.pad(x[:, :, ::2, ::2], padding=(0, 0, 0, 0, 3, 2))
        return F.relu(F.pad(F.max_pool2d(y, kernel_size=2, ceil_mode=True), padding=(0, 0, 0, 0, 0, 5)) + x)

    def by_channel(self, x, y):
        return F.hardswish(self.depthwise(F.pad(y, padding=(1, 0, 2, 1))))

    def normalized(self, x, y):
        return self.conv2(F.relu(self.bn1(F.concat([y], 1)))) + F.silu(x) * F.hardsigmoid(y)

    def scaled(self, x, y):
        return self.grouped(y * 0.5 + 1.0)


@pytest.mark.parametrize("way", [name for name in vars(Block) if name not in ("forward",) and name[0] != "_"])
def test_every_way_to_join_layers(way):
    check(Block(way), (2, 20, 5, 6))


@pytest.mark.parametrize(
    "layers, shape",
    [
        ([nn.Linear(7, 5, rng=0), nn.ReLU(), nn.Linear(5, 40, rng=0)], (3, 7)),
        ([nn.Linear(7, 5, rng=0), nn.BatchNorm1d(5), nn.Hardtanh(-0.2, 0.3)], (1, 7)),
        ([nn.Conv2d(3, 9, 3, 2, 1, rng=0), nn.Flatten(), nn.Linear(9 * 3 * 4, 3, rng=0)], (2, 3, 5, 7)),
        ([nn.Conv2d(1, 70, (3, 1), (1, 2), (0, 1), dilation=2, rng=0), nn.MaxPool2d(3, 2, 1)], (1, 1, 9, 8)),
        ([nn.SamePad2d(3, 2), nn.Conv2d(2, 4, 3, 2, rng=0), nn.MaxPool2d(2, ceil_mode=True)], (1, 2, 10, 9)),
        ([nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1)], (2, 17, 9, 9)),
        ([nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), nn.AdaptiveAvgPool2d((2, 3))], (1, 4, 8, 8)),
        ([nn.Dropout(0.5, rng=0), nn.Conv2d(600, 3, 1, rng=0)], (1, 600, 3, 3)),
    ],
)
def test_layers_and_their_options(layers, shape):
    model = nn.Sequential(nn.Identity(), *layers)
    if not list(model.parameters()):
        model = nn.Sequential(*layers, nn.Conv2d(shape[1], 2, 1, rng=0))
    check(model, shape)


def test_weights_are_held_once_and_the_model_stays_as_it_was():
    model = settled(models.lenet5(rng=0))
    state = {name: a.copy() for name, a in model.state_dict().items()}
    lowered = check(model, (1, 1, 28, 28))
    assert lowered.network is None and list(lowered.parameters()) == []
    [row] = runtime.held_bytes(lowered)
    assert row.dense == sum(p.data.nbytes for p in model.parameters()) and row.held < 1.1 * row.dense
    for name, a in model.state_dict().items():
        np.testing.assert_array_equal(a, state[name])


def test_other_batches_and_other_sizes_of_images():
    model = settled(
        nn.Sequential(nn.SamePad2d(3, 2), nn.Conv2d(3, 20, 3, 2, rng=0), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    )
    lowered, rng = runtime.lower(model, (1, 3, 8, 8)), np.random.default_rng(0)
    assert lowered.network is None
    for shape in [(1, 3, 8, 8), (3, 3, 8, 8), (2, 3, 7, 9), (1, 3, 8, 8), (4, 3, 6, 6), (5, 3, 6, 6), (0, 3, 8, 8)]:
        x = rng.standard_normal(shape, np.float32)
        got, want = lowered(Tensor(x)).data, model(Tensor(x)).data if len(x) else np.empty((0, 20, 1, 1), np.float32)
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)


def test_results_are_the_callers_own_and_threads_may_share_a_network():
    model = settled(Block("residual"))
    lowered, rng = runtime.lower(model), np.random.default_rng(0)
    xs = [rng.standard_normal((2, 20, 5, 6), np.float32) for _ in range(4)]
    want, got = [lowered(Tensor(x)).data.copy() for x in xs], [None] * 4

    def work(i):
        for _ in range(5):
            got[i] = lowered(Tensor(xs[i])).data

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.may_share_memory(got[0], got[1])


def test_a_copy_computes_on_its_own():
    lowered = runtime.lower(settled(Block("residual")))
    x = Tensor(np.random.default_rng(0).standard_normal((1, 20, 5, 6), np.float32))
    want = lowered(x).data
    np.testing.assert_array_equal(copy.deepcopy(lowered)(x).data, want)
    np.testing.assert_array_equal(runtime.lower(lowered)(x).data, want)


class Odd(nn.Module):
    """An op that no program has a rule for."""

    def __init__(self):
        self.conv = nn.Conv2d(2, 2, 1, rng=0)

    def forward(self, x):
        return self.conv(x).exp()


def test_an_op_without_a_rule_leaves_the_network_as_it_is():
    lowered = check(Odd(), (1, 2, 3, 3), programmed=False)
    assert lowered.why == "no rule for exp in the network" and isinstance(lowered.network, Odd)
    codes = nn.FakeQuantize(8)
    codes.set_range(-1, 1)
    check(nn.Sequential(nn.Conv2d(2, 2, 1, rng=0), codes), (1, 2, 3, 3), programmed=False)


def test_wrong_uses_are_one_clear_line():
    lowered = runtime.lower(settled(Block("residual")), (1, 20, 5, 6))
    with pytest.raises(TypeError, match="want floating-point arrays of one dtype, float32, got float64"):
        lowered(Tensor(np.zeros((1, 20, 5, 6))))
    with pytest.raises(RuntimeError, match="gives no gradient"):
        lowered(Tensor(np.zeros((1, 20, 5, 6), np.float32), requires_grad=True))
    with pytest.raises(RuntimeError, match="does not train"):
        lowered.train()(Tensor(np.zeros((1, 20, 5, 6), np.float32)))
    with pytest.raises(ValueError, match="input_shape"):
        runtime.lower(Block("residual"), (0, 20))


def test_no_number_is_hidden():
    """A NaN in x reaches the outputs that depend on it, and no other."""
    model = settled(nn.Sequential(nn.Conv2d(2, 20, 3, padding=1, rng=0), nn.ReLU(), nn.MaxPool2d(2)))
    x = np.random.default_rng(0).standard_normal((1, 2, 8, 8), np.float32)
    x[0, 1, 3, 3] = np.nan
    got, want = runtime.lower(model)(Tensor(x)).data, model(Tensor(x)).data
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert np.isnan(got).any() and not np.isnan(got).all()


def test_it_prints_its_steps():
    lowered = runtime.lower(settled(Block("residual")), (1, 20, 5, 6))
    lines = str(lowered).splitlines()
    assert any("conv1" in line and "conv2d batch_norm relu6" in line for line in lines)
    assert any("conv2" in line and "conv2d add relu" in line for line in lines)
    assert "steps" in repr(lowered)


FAMILIES = [
    "mobilenet_v3_small",
    "shufflenet_v1",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "efficientnet_lite0",
    "googlenet",
]
FAMILIES += [
    "resnet18",
    "resnet20",
    "resnet50",
    "densenet121",
    "mnasnet1_0",
    "efficientnet_b0",
    "mobilenet_v2",
    "alexnet",
    "vgg16",
]


@pytest.mark.thorough
@pytest.mark.parametrize("name", FAMILIES)
def test_the_networks_of_the_survey(name):
    if config.DISABLE_JIT:
        pytest.skip("whole networks take the compiler")
    check(getattr(models, name)(num_classes=7, rng=0), (2, 3, 64, 64))
