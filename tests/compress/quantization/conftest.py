"""A small depthwise network whose channels have very different sizes, as batch-norm folding leaves them."""

import numpy as np
import pytest

from lightnn import Tensor, models, nn
from lightnn.compress import fold_batch_norm


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).standard_normal((128, 1, 12, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def uneven(images):
    """filternet_separable, folded, with channels of 1/15 to 15 times the usual size."""
    rng, model = np.random.default_rng(0), models.filternet_separable(width=8, rng=0)
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.data = (10 ** rng.uniform(-1.2, 1.2, m.num_features)).astype(np.float32)
            m.bias.data = (0.3 * rng.standard_normal(m.num_features)).astype(np.float32)
    for _ in range(30):
        model(Tensor(images))
    return fold_batch_norm(model.eval(), (1, 1, 12, 12))


@pytest.fixture(scope="module")
def error(uneven, images):
    """error(model): the mean square error of its outputs against those of `uneven`, relative to their variance."""
    want = uneven(Tensor(images)).data
    return lambda model: float(((model(Tensor(images)).data - want) ** 2).mean() / want.var())
