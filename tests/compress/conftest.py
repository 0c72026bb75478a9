"""Random networks for the tests of surgery: residual blocks, concatenations, depthwise and grouped convolutions,
shifts, pooling, flatten or global pooling, in float64, with batch norms whose numbers are all random."""

import types

import numpy as np
import pytest

from lightnn import functional as F
from lightnn import nn

SHAPE = (2, 3, 9, 8)


class RandomNet(nn.Module):
    """A stem, `depth` random blocks, and a head; `kinds` says which blocks it got."""

    def __init__(self, rng, depth=4):
        self.kinds, self.blocks, c = [], nn.ModuleList(), int(rng.integers(3, 7))
        self.stem = conv(SHAPE[1], c, rng)
        for _ in range(depth):
            kind = rng.choice(list(BLOCKS))
            block, c = BLOCKS[kind](c, rng)
            self.kinds.append(str(kind))
            self.blocks.append(block)
        self.pool = nn.AdaptiveAvgPool2d(1) if rng.random() < 0.3 else nn.MaxPool2d(2, 2, 1)
        self.flatten, self.relu = nn.Flatten(), nn.ReLU()
        columns = c if isinstance(self.pool, nn.AdaptiveAvgPool2d) else c * 5 * 5
        self.fc1, self.fc2 = nn.Linear(columns, 6, rng=rng), nn.Linear(6, 4, rng=rng)
        randomize(self, rng)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.fc2(self.relu(self.fc1(self.flatten(self.pool(x)))))


def conv(c_in, c_out, rng, kernel=3, groups=1, norm=True):
    layer = nn.Conv2d(c_in, c_out, kernel, 1, kernel // 2, groups=groups, bias=bool(rng.random() < 0.5), rng=rng)
    act = rng.choice([nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Tanh, nn.Identity])()
    return nn.Sequential(layer, nn.BatchNorm2d(c_out), act) if norm else nn.Sequential(layer, act)


class Residual(nn.Module):
    def __init__(self, c_in, c_out, rng):
        self.conv1, self.conv2 = conv(c_in, 5, rng), conv(5, c_out, rng)
        self.shortcut = conv(c_in, c_out, rng, 1) if c_in != c_out or rng.random() < 0.3 else nn.Identity()

    def forward(self, x):
        return F.relu(self.conv2(self.conv1(x)) + self.shortcut(x))


class Dense(nn.Module):
    """The input and two new groups of channels, side by side."""

    def __init__(self, c_in, rng):
        self.a, self.b = conv(c_in, 3, rng), conv(c_in, 2, rng, norm=False)
        self.norm = nn.BatchNorm2d(c_in + 5)

    def forward(self, x):
        return self.norm(F.concat([self.a(x), x, self.b(x)], dim=1))


def _full(c, rng):
    out = int(rng.integers(3, 8))
    return conv(c, out, rng, int(rng.choice([1, 3, 5]))), out


def _residual(c, rng):
    out = int(rng.choice([c, 4]))
    return Residual(c, out, rng), out


def _depthwise(c, rng):
    m = int(rng.integers(1, 3))
    return nn.Sequential(conv(c, m * c, rng, 3, groups=c), conv(m * c, 5, rng, 1)), 5


def _grouped(c, rng):
    return nn.Sequential(conv(c, 6, rng, 1), conv(6, 8, rng, 3, groups=2)), 8


def _shuffled(c, rng):
    return nn.Sequential(conv(c, 8, rng, 1), nn.ChannelShuffle(2), conv(8, 4, rng, 1)), 4


BLOCKS = {
    "full": _full,
    "residual": _residual,
    "dense": lambda c, rng: (Dense(c, rng), c + 5),
    "depthwise": _depthwise,
    "grouped": _grouped,
    "shuffled": _shuffled,
    "shift": lambda c, rng: (nn.Sequential(nn.Shift2d(3), conv(c, 5, rng, 1)), 5),
}


def randomize(model, rng):
    """All numbers random, in float64; variances positive."""
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape) * 0.5
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean = rng.standard_normal(m.num_features)
            m.running_var = rng.random(m.num_features) + 0.5


def random_rows(found, rng, most=0.6):
    """{layer: rows} that may be removed together: some units of some layers, never all of a layer."""
    chosen, counts = {}, {layer: len(set(found.roots(ids))) for layer, ids in found.layers.items()}
    for layer, ids in found.layers.items():
        roots = found.roots(ids)
        free = [u for u in dict.fromkeys(roots) if found.reason(layer, int(np.flatnonzero(roots == u)[0])) is None]
        if rng.random() < 0.7 and counts[layer] > 1 and len(free) > 1:
            units = rng.choice(free, rng.integers(1, max(2, int(most * len(free)))), replace=False)
            chosen[layer] = np.flatnonzero(np.isin(roots, units))
    return chosen


@pytest.fixture(scope="session")
def nets():
    """RandomNet and what goes with it."""
    return types.SimpleNamespace(
        RandomNet=RandomNet, BLOCKS=BLOCKS, SHAPE=SHAPE, randomize=randomize, random_rows=random_rows
    )
