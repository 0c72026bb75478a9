"""lightnn/training/statistics.py: the statistics of batch norms, measured again."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn.compress import use_stochastic_binary
from lightnn.training import reestimate_batch_norm


def network():
    return nn.Sequential(
        nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4, momentum=0.3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2, rng=1),
        nn.BatchNorm1d(2),
    )  # fmt: skip


def test_they_are_the_means_over_all_batches(rng):
    model, x = network(), rng.standard_normal((10, 3)).astype(np.float32)
    twin = reestimate_batch_norm(model, x, batch_size=4)
    parts = [model[0](Tensor(x[i : i + 4])).data for i in (0, 4, 8)]
    np.testing.assert_allclose(twin[1].running_mean, np.mean([p.mean(0) for p in parts], 0), rtol=1e-5)
    np.testing.assert_allclose(twin[1].running_var, np.mean([p.var(0, ddof=1) for p in parts], 0), rtol=1e-5)
    second = [np.maximum((p - p.mean(0)) / np.sqrt(p.var(0) + 1e-5), 0) for p in parts]
    sums = [model[4](Tensor(p)).data.mean(0) for p in second]  # nothing was dropped
    np.testing.assert_allclose(twin[5].running_mean, np.mean(sums, 0), rtol=1e-4, atol=1e-6)


def test_nothing_else_changes(rng):
    model, x = network(), rng.standard_normal((10, 3)).astype(np.float32)
    before = model.state_dict()
    twin = reestimate_batch_norm(model, x)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    for name, array in twin.state_dict().items():
        assert "running" in name or "tracked" in name or (array == before[name]).all()
    assert model.training and not any(m.training for m in twin.modules())
    assert [m.momentum for m in (twin[1], twin[5])] == [0.3, 0.1]


def test_random_weights_are_their_signs(rng):
    model, x = network(), rng.standard_normal((10, 3)).astype(np.float32)
    use_stochastic_binary(model[0].weight, rng=0)
    again = [reestimate_batch_norm(model, x) for _ in range(2)]
    np.testing.assert_array_equal(again[0][1].running_mean, again[1][1].running_mean)
    signs = np.where(model[0].weight.data >= 0, 1, -1)
    np.testing.assert_allclose(again[0][1].running_mean, (x @ signs.T + model[0].bias.data).mean(0), rtol=1e-4)


def test_a_network_without_batch_norms_is_copied(rng):
    model = nn.Sequential(nn.Linear(3, 2, rng=0))
    twin = reestimate_batch_norm(model, np.ones((4, 3), np.float32))
    np.testing.assert_array_equal(twin[0].weight.data, model[0].weight.data)
    assert twin[0] is not model[0]


def test_what_can_not_be_measured_is_refused():
    with pytest.raises(TypeError, match="reestimate_batch_norm: want a Module, got int"):
        reestimate_batch_norm(3, np.ones((4, 3), np.float32))
    for x in (np.ones((0, 3), np.float32), np.float32(1)):
        with pytest.raises(ValueError, match=r"reestimate_batch_norm: want x \(N, ...\), N > 0; got \("):
            reestimate_batch_norm(network(), x)
    with pytest.raises(ValueError, match="batch_size: want an int >= 1"):
        reestimate_batch_norm(network(), np.ones((4, 3), np.float32), batch_size=0)
